"""Schema history of the webhooks app."""
