"""Tickets, wants, feedback: not built yet."""
