"""What the webhooks app asks of others: of doors how each writes a call in its own words, of apps above what was too
dear to find out when something happened.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from postroom.core.webhooks.types import CallToWrite, Written
from postroom.kit.types import JSONValue


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


Completer = Callable[[Mapping[str, JSONValue]], Mapping[str, JSONValue]]
"""Adds to the facts of a call what can be looked up when it is made."""

_writers: Final[dict[str, Writer]] = {}
_completers: Final[dict[str, list[Completer]]] = {}


def register_writer(door: str, writer: Writer) -> None:
    """Let ``writer`` write the calls of a door; for ``apps.ready``."""
    _writers[door] = writer


def writers() -> Mapping[str, Writer]:
    """Return all writers by door."""
    return _writers


def complete_facts(types: Iterable[str], completer: Completer) -> None:
    """Let ``completer`` add to the facts of such events, each time they are told; for ``apps.ready`` of higher apps."""
    for type_ in types:
        _completers.setdefault(type_, []).append(completer)


def completed(type_: str, facts: Mapping[str, JSONValue]) -> Mapping[str, JSONValue]:
    """Return the facts of an event with all that is added to them."""
    for completer in _completers.get(type_, ()):
        facts = completer(facts)
    return facts
