"""Mail that stayed here instead of going out."""
