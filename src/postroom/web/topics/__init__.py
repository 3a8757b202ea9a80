"""Categories of mail people say yes or no to; readers know them as topics."""
