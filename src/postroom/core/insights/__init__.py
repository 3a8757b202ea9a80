"""What the numbers say: reports and timelines over all lower apps."""
