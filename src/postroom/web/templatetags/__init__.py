"""Tags and filters of the house's own templates."""
