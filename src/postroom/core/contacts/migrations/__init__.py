"""Schema history of the contacts app."""
