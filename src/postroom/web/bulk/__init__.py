"""One change to many people: said, confirmed, watched, taken back."""
