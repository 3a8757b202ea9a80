"""Lists people are on."""
