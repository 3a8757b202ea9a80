"""The CRM dialect."""
