"""Bodies of the CRM dialect, one file for each group of operations."""
