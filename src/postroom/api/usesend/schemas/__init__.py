"""Bodies of the useSend dialect, one file for each group of operations."""
