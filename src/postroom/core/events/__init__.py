"""What happened inside: domain events, the outbox other apps listen to."""
