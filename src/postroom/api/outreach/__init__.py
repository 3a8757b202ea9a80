"""The outreach dialect: its operations arrive with its door."""
