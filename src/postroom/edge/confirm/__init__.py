"""Double opt-in: a person confirms that they want to be on a list."""
