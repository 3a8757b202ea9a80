"""No domain, no tables: what any layer may use."""
