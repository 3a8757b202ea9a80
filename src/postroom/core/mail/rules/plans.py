"""When a window is open, by whose clock; and how a warm-up grows."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from postroom.core.mail.types import WarmUpPlan, Window

PLANS: Final = {
    "careful": WarmUpPlan(start=20, growth=20, target=5_000),
    "normal": WarmUpPlan(start=50, growth=35, target=10_000),
    "fast": WarmUpPlan(start=200, growth=60, target=50_000),
}
"""The plans we suggest: a new account starts with little and roughly doubles every four, three or two days."""

LONGEST_PLAN: Final = 366
_WEEK: Final = 8
_ROUNDS: Final = 40
_DAY: Final = timedelta(days=1)


def zone_of(*names: str) -> tzinfo:
    """Return the first of the zones that is one; UTC when none is."""
    for name in filter(None, names):
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):  # not found, not a name, the name of a folder
            continue
    return UTC


def iter_openings(window: Window, zone: tzinfo, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the coming spans (from, until) in UTC in which the window is open; the first may have begun.

    It goes by the clock on the wall: a day with a change of clocks has its window at the same hours as any other.
    """
    day = now.astimezone(zone).date() - _DAY
    while True:
        if not window.days or day.isoweekday() in window.days:
            closing_day = day if window.opens_at < window.closes_at else day + _DAY
            opens, closes = _instant(day, window.opens_at, zone), _instant(closing_day, window.closes_at, zone)
            if closes > now and opens < closes:
                yield opens, closes
        day += _DAY


def next_opening(window: Window, zone: tzinfo, now: datetime) -> datetime:
    """Return ``now`` while the window is open, else when it opens next."""
    opens, _ = next(iter_openings(window, zone, now))
    return max(opens, now)


def next_common_opening(windows: Sequence[tuple[Window, tzinfo]], now: datetime) -> datetime | None:
    """Return when all windows are open together for the first time; None when that is not within some weeks."""
    at = now
    for _ in range(_ROUNDS):
        opens = max((next_opening(window, zone, at) for window, zone in windows), default=at)
        if opens <= at:
            return at
        at = opens
    return None


def next_common_closing(windows: Sequence[tuple[Window, tzinfo]], at: datetime) -> datetime | None:
    """Return when the first of the windows, all open at ``at``, shuts; None when they never do."""
    shuts = [_closing(window, zone, at) for window, zone in windows if not is_always(window)]
    return min(shuts, default=None)


def is_always(window: Window) -> bool:
    """Whether the window never shuts."""
    return window.opens_at == window.closes_at and (not window.days or len(window.days) == 7)


def cap_of(plan: WarmUpPlan, step: int) -> int:
    """Return what a warm-up that has grown ``step`` days allows a day."""
    cap = float(plan.start)
    for _ in range(min(step, LONGEST_PLAN)):
        cap = max(cap + 1, cap * (100 + plan.growth) / 100)
        if cap >= plan.target:
            break
    return min(plan.target, int(cap))


def days_of(plan: WarmUpPlan) -> int:
    """Return on which day, counted from 0, the plan reaches its target."""
    return next((step for step in range(LONGEST_PLAN) if cap_of(plan, step) >= plan.target), LONGEST_PLAN)


def _closing(window: Window, zone: tzinfo, at: datetime) -> datetime:
    """Return when the window, open at ``at``, shuts; one that opens again at that very moment goes on."""
    closes = at
    for opens, until in iter_openings(window, zone, at):
        if opens > closes:
            return closes
        closes = max(closes, until)
        if closes - at > _WEEK * _DAY:
            return closes
    raise AssertionError("the openings never end")


def _instant(day: date, at: time, zone: tzinfo) -> datetime:
    """Return the instant of a time on the wall; one that a clock skips comes later, one it shows twice is the first."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
