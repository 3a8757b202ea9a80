"""The quick start: from a new workspace to the first mail that arrived."""
