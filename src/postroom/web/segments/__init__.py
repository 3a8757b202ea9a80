"""Questions about people, saved under a name."""
