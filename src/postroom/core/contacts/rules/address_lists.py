"""Reads addresses that a person pasted: one to a line, or parted by commas or semicolons."""

import re
from typing import Final

from postroom.core.contacts.errors import BadAddress
from postroom.core.contacts.rules.addresses import normalise_email

_PARTS: Final = re.compile(r"[\n,;]+")


def read_addresses(text: str) -> tuple[list[str], list[str]]:
    """Return the addresses in their one spelling, each once, and what is none, as it was written."""
    good: dict[str, None] = {}
    bad = []
    for part in filter(None, (part.strip() for part in _PARTS.split(text.replace("\0", "")))):
        try:
            good[normalise_email(part, accepts_angle=True)] = None
        except BadAddress:
            bad.append(part)
    return list(good), bad
