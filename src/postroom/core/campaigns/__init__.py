"""Campaigns: one newsletter to an audience."""
