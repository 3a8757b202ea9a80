"""API keys: what programs show at the doors."""
