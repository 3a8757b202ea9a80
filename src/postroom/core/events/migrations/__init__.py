"""Schema history of the events app."""
