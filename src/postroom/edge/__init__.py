"""The open internet: tracking, unsubscribing, inbound SMTP."""
