"""What the webhooks app asks of the doors: how each writes a call in its own words."""

from collections.abc import Mapping
from typing import Final, Protocol

from postroom.core.webhooks.types import CallToWrite, Written


class Writer(Protocol):
    """Writes calls in the words of one door."""

    @property
    def label(self) -> str:
        """What people call this dialect."""
        ...

    @property
    def types(self) -> Mapping[str, str]:
        """The events this door tells of, and what it calls them; the others are not for it."""
        ...

    def write(self, call: CallToWrite) -> Written:
        """Return the body and the door's own headers; those of Standard Webhooks are added to every call."""
        ...


_writers: Final[dict[str, Writer]] = {}


def register_writer(door: str, writer: Writer) -> None:
    """Let ``writer`` write the calls of a door; for ``apps.ready``."""
    _writers[door] = writer


def writers() -> Mapping[str, Writer]:
    """Return all writers by door."""
    return _writers
