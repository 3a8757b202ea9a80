"""People and their own data: asking for the link, getting the data, being erased."""
