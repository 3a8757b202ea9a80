"""Signing in and out, and the way to a workspace."""
