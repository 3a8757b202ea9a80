"""Wiring: settings, URLs, the front door, embedded PostgreSQL, the supervisor, the command line."""
