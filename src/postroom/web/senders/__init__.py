"""Who sends: sender accounts."""
