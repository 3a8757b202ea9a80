"""Mechanics all dialects use: authentication, error mapping, paging, rate limits, idempotency."""
