"""Reading numbers out of what a browser sent."""


def whole_number(text: str | None) -> int | None:
    """Return the positive number that ``text`` spells, None for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
