"""Ids as the CRM writes them: the uid itself."""

from typing import Final
from uuid import UUID

from postroom.kit.ids import parse_uuid

NOBODY: Final = UUID(int=0)


def read_id(text: str) -> UUID:
    """Return the uid a text stands for; a text that is none stands for a thing that does not exist."""
    return parse_uuid(text) or NOBODY
