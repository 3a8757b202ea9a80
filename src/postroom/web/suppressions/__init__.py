"""Addresses that must not be mailed."""
