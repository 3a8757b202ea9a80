"""The useSend dialect."""
