"""What an operator does by hand: one file for each command that is more than a call."""
