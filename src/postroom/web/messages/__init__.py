"""The ledger as people look at it: every message, and what became of it."""
