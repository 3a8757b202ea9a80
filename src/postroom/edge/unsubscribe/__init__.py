"""Leaving: the page behind every unsubscribe link, and the one-click POST of mail programs (RFC 8058)."""
