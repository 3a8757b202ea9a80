"""The two SMTP servers of an installation: one for mail that comes back, one that stands in for the world."""
