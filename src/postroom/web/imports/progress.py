"""How far an import is and how long it will still take."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from postroom.core.contacts.types import ImportStatus

if TYPE_CHECKING:
    from postroom.core.contacts.models import ImportRun


@dataclass(frozen=True, slots=True)
class Progress:
    """``rows_per_s`` over the whole run so far; ``remaining_s`` is None while nobody can tell."""

    is_live: bool
    rows_per_s: int
    remaining_s: int | None


def measure(run: "ImportRun", *, now: datetime) -> Progress:
    """Return the pace of ``run`` at ``now``."""
    is_live = run.status in (ImportStatus.QUEUED, ImportStatus.RUNNING)
    if run.started_at is None:
        return Progress(is_live, 0, None)
    elapsed_s = max(((run.finished_at or now) - run.started_at).total_seconds(), 0.001)
    rate = run.processed_rows / elapsed_s
    is_open = is_live and run.total_rows is not None and rate > 0
    remaining_s = round(((run.total_rows or 0) - run.processed_rows) / rate) if is_open else None
    return Progress(is_live, round(rate), remaining_s)
