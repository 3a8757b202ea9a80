"""Webhooks: who is called when something happens, and every call with its answer."""
