"""Sending domains: what to publish, what was found, and how receivers take their mail."""
