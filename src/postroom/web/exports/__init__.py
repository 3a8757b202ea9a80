"""The way of a file out: chosen, made before one's eyes, fetched."""
