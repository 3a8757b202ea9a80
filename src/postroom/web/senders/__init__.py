"""Who sends: sender accounts and their domains."""
