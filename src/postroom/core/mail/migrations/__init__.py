"""Schema history of the mail app."""
