"""Job handlers, schedules and the sender process."""
