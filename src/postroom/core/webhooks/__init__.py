"""Customers' webhook subscriptions: not built yet."""
