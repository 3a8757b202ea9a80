"""Conversations and inbound mail: not built yet."""
