"""What follows from what, without a database: signatures, schedules, addresses."""
