"""Schema history of the workspaces app."""
