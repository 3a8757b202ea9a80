"""The MailTrixy dialect: its operations arrive with its door."""
