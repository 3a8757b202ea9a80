"""Customers' webhooks: who wants to hear what, and every call until it is answered."""
