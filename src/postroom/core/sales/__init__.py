"""Deals: not built yet."""
