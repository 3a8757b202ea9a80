"""All parts of Postroom in one terminal: started in order, kept running, stopped in order, none left behind."""
