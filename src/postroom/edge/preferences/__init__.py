"""The preference centre: a person chooses what may be sent to them."""
