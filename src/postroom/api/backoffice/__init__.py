"""The back-office dialect: its operations arrive with its door."""
