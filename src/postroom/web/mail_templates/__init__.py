"""Templates: what programs write their mail from."""
