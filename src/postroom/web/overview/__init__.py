"""What happened lately in a workspace."""
