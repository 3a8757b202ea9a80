"""Postroom: one person, one consent, one timeline, one ledger of mail."""

__version__ = "0.1.0"
