"""When a hand-over will be done, reckoned from what limits it: rates, windows and warm-ups.

Each limit is followed by itself, and the hand-over ends when the slowest of them does. That is exact while no limit has
to wait for another one, and near enough where they do.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Final

from postroom.core.mail.rules.destinations import buckets_of
from postroom.core.mail.rules.limits import Rate, Use, count_used
from postroom.core.mail.rules.plans import next_common_closing, next_common_opening
from postroom.core.mail.types import Forecast, Per, Window

HORIZON: Final = timedelta(days=400)
_DAY: Final = timedelta(days=1)
_CLEARLY: Final = 1.02

Windows = Sequence[tuple[Window, tzinfo]]


@dataclass(frozen=True, slots=True)
class Line:
    """A limit as it stands: whose mail it counts, how fast, when. ``caps`` are a warm-up's from today on."""

    destination: str
    rate: Rate | None
    use: Use = field(default_factory=Use)
    windows: Windows = ()
    caps: tuple[int, ...] = ()


def forecast(
    *, counts: Mapping[str, int], lines: Sequence[Line], starts_at: datetime, measured: float | None
) -> Forecast:
    """Return when ``counts`` messages (by destination) will be gone, begun at ``starts_at``.

    ``measured`` is the rate per second that it goes at now, where that is known; nothing goes faster.
    """
    total = sum(counts.values())
    if not total:
        return Forecast(measured or 0.0, starts_at)
    ends = dict(_ends(counts, lines, starts_at, measured, total))
    if not ends:
        return Forecast(0.0, None)
    if any(end is None for end in ends.values()):
        return Forecast(measured or 0.0, None)
    slowest = max(ends, key=lambda name: ends[name] or starts_at)
    finishes_at = ends[slowest] or starts_at
    rate = measured if measured is not None else total / max(1.0, (finishes_at - starts_at).total_seconds())
    return Forecast(rate, finishes_at, slowest if _is_alone(slowest, ends, starts_at) else "")


def _ends(
    counts: Mapping[str, int], lines: Sequence[Line], starts_at: datetime, measured: float | None, total: int
) -> Iterator[tuple[str, datetime | None]]:
    """Yield when each destination would be done if only what limits it did; "" stands for all together."""
    latest: dict[str, datetime | None] = {}
    for line in lines:
        count = sum(number for name, number in counts.items() if line.destination in buckets_of(name))
        if line.rate is None or not count:
            continue
        windows = [window for other in lines if other.destination in ("", line.destination) for window in other.windows]
        end = _run_out(line, line.rate, count, windows, starts_at)
        known = latest.get(line.destination, starts_at)
        latest[line.destination] = None if end is None or known is None else max(end, known)
    everywhere = [window for line in lines if not line.destination for window in line.windows]
    if measured:
        end = _spend(timedelta(seconds=total / measured), everywhere, starts_at)
        known = latest.get("", starts_at)
        latest[""] = None if end is None or known is None else max(end, known)
    yield from latest.items()


def _is_alone(slowest: str, ends: Mapping[str, datetime | None], starts_at: datetime) -> bool:
    """Whether one destination alone keeps the rest waiting."""
    others = [end for name, end in ends.items() if name != slowest and end is not None]
    took = ((ends[slowest] or starts_at) - starts_at).total_seconds()
    return bool(slowest) and all(took > _CLEARLY * (end - starts_at).total_seconds() for end in others)


def _run_out(line: Line, rate: Rate, count: int, windows: Windows, starts_at: datetime) -> datetime | None:
    """Return when ``count`` messages have gone through a limit."""
    if rate.per == Per.DAY:
        return _run_out_by_day(line, rate, count, windows, starts_at)
    late_s = max(0.0, line.use.paced_at - starts_at.timestamp())
    return _spend(timedelta(seconds=late_s + max(0, count - rate.burst) * rate.gap_s), windows, starts_at)


def _run_out_by_day(line: Line, rate: Rate, count: int, windows: Windows, starts_at: datetime) -> datetime | None:
    left: float = rate.for_bulk - count_used(rate, line.use, starts_at.timestamp())
    at = next_common_opening(windows, starts_at)
    while at is not None and at - starts_at < HORIZON:
        room = max(0, min(left, _open_seconds(windows, at, at + _DAY) / rate.gap_s if rate.is_paced else left))
        if count <= room:
            return _spend(timedelta(seconds=count * rate.gap_s if rate.is_paced else 0), windows, at)
        count -= int(room)
        at = next_common_opening(windows, at + timedelta(seconds=rate.guarded_s))
        left = _cap(line, rate, (at - starts_at).days) if at is not None else 0
    return None


def _cap(line: Line, rate: Rate, day: int) -> int:
    if not line.caps:
        return rate.for_bulk
    most = line.caps[min(day, len(line.caps) - 1)]
    return Rate(most, rate.per, rate.is_spread).for_bulk


def _spend(needed: timedelta, windows: Windows, starts_at: datetime) -> datetime | None:
    """Return when ``needed`` time has passed in which all windows were open; None when that is too far away."""
    at = starts_at
    while at - starts_at < HORIZON:
        opens = next_common_opening(windows, at)
        if opens is None:
            return None
        closes = next_common_closing(windows, opens)
        if closes is None or opens + needed <= closes:
            return opens + needed
        needed -= closes - opens
        at = closes
    return None


def _open_seconds(windows: Windows, start: datetime, end: datetime) -> float:
    """Return for how long between ``start`` and ``end`` all windows are open."""
    seconds, at = 0.0, start
    while at < end:
        opens = next_common_opening(windows, at)
        if opens is None or opens >= end:
            break
        closes = min(next_common_closing(windows, opens) or end, end)
        seconds += (closes - opens).total_seconds()
        at = closes
    return seconds
