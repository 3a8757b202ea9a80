"""Where a stretch of a timeline begins: an instant, and behind it which source and which of its rows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from postroom.core.contacts.models import Contact
from postroom.core.insights.types import TimelineEntry, TimelineKind
from postroom.core.workspaces.models import Workspace

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_END_OF_TIME: Final = datetime(9999, 1, 1, tzinfo=UTC)
_LAST_TEXT: Final = "\U0010ffff"
_LAST_NUMBER: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose life, of which kinds, seen from where and by whom; ``person_ids`` are all keys the person goes by."""

    workspace: Workspace
    contact: Contact
    person_ids: tuple[int, ...]
    kinds: frozenset[TimelineKind]
    viewer_id: int | None

    def wants(self, *kinds: TimelineKind) -> bool:
        """Whether any of these is asked for."""
        return not self.kinds.isdisjoint(kinds)


@dataclass(frozen=True, slots=True)
class Row:
    """One entry to be, where it stands in the order, and how it is shown once it is known to be on the page."""

    at: datetime
    source: int
    key: int | str
    show: Callable[[], TimelineEntry] = field(compare=False)


@dataclass(frozen=True, slots=True)
class SourceCut:
    """Where one source, the ``source``-th, begins: behind (``at``, key), keys being numbers or texts."""

    source: int
    at: datetime
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a stretch begins: behind the entry of ``source`` with this ``key``."""

    at: datetime = _END_OF_TIME
    source: int = -1
    key: str = ""

    @classmethod
    def read(cls, text: str) -> "Cut":
        """Return what ``write`` wrote; the beginning for anything else."""
        at, _, rest = text.partition(".")
        source, _, key = rest.partition(".")
        if not (at.isdecimal() and at.isascii() and len(at) < 18 and source.isdecimal() and source.isascii()):
            return cls()
        try:
            return cls(_EPOCH + int(at) * _MICROSECOND, int(source[:2]), key.replace("\0", ""))
        except OverflowError:
            return cls()

    @staticmethod
    def write(row: Row) -> str:
        """Return the cut behind a row, fit for an address."""
        return f"{(row.at - _EPOCH) // _MICROSECOND}.{row.source}.{row.key}"

    def of(self, source: int) -> SourceCut:
        """Return where the ``source``-th source begins: those after the cut's own are through with its instant."""
        if source < self.source:
            return SourceCut(source, self.at, _LAST_NUMBER, _LAST_TEXT)
        if source > self.source:
            return SourceCut(source, self.at, -1, "")
        is_number = self.key.isdecimal() and self.key.isascii() and len(self.key) < 19
        return SourceCut(source, self.at, int(self.key) if is_number else -1, self.key)


def newest_first(row: Row) -> tuple[datetime, int, int | str]:
    """Return what rows are sorted by, descending."""
    return row.at, row.source, row.key
