"""Custom fields: what a workspace asks about people."""
