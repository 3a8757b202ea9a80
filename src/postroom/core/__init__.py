"""Every table and every rule."""
