"""Plans, credits, payments: not built yet."""
