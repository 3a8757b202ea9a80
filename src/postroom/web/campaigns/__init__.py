"""Writing and sending newsletters."""
