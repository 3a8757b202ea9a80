"""Schema history of the campaigns app."""
