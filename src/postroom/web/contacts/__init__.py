"""People and their timelines."""
