"""SMTP: how programs that speak no HTTP hand their mail over."""
