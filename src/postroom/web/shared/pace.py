"""How fast something goes on and how long it will still take."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Pace:
    """``per_s`` over the whole time so far; ``remaining_s`` is None when it has ended and while nobody can tell."""

    per_s: int = 0
    remaining_s: int | None = None


def measure_pace(*, done: int, total: int | None, started_at: datetime | None, until: datetime, is_live: bool) -> Pace:
    """Return the pace of something that did ``done`` of ``total`` from ``started_at`` to ``until``."""
    if started_at is None:
        return Pace()
    per_s = done / max((until - started_at).total_seconds(), 0.001)
    remaining_s = round((total - done) / per_s) if is_live and total is not None and per_s > 0 else None
    return Pace(round(per_s), remaining_s)
