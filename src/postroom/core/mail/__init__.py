"""Domains, senders, templates, composing, the ledger, delivery events, tracking."""
