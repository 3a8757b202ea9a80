"""Days of a filter: dates, and lengths of time before and after today, as the workspace's calendar has it."""

import calendar
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from postroom.core.contacts.rules.filter_language import Condition, Span, Unit

Bound = tuple[str, date]
"""A comparison, one of ``< <= > >=``, and the day to compare with."""

_BOUNDS: Final = {
    "lt": ("<",),
    "before": ("<",),
    "lte": ("<=",),
    "gt": (">",),
    "after": (">",),
    "gte": (">=",),
    "eq": (">=", "<="),
    "neq": (">=", "<="),
    "between": (">=", "<="),
    "in_last": (">=", "<="),
    "not_in_last": (">=", "<="),
    "in_next": (">=", "<="),
    "ago": (">=", "<="),
}
NEGATED: Final = frozenset({"neq", "not_in_last"})
_MONTHS: Final = {Unit.MONTHS: 1, Unit.YEARS: 12}
_DAYS: Final = {Unit.DAYS: 1, Unit.WEEKS: 7}


def today_in(timezone: str, now: datetime) -> date:
    """Return the day it is in a zone."""
    return now.astimezone(ZoneInfo(timezone)).date()


def start_of(day: date, timezone: str) -> datetime:
    """Return when a day begins in a zone."""
    return datetime.combine(day, time.min, ZoneInfo(timezone))


def end_of(day: date, timezone: str) -> datetime:
    """Return when the day after a day begins in a zone."""
    return start_of(day + timedelta(days=1) if day < date.max else day, timezone)


def move(day: date, span: Span, *, back: bool = False) -> date:
    """Return the day a span later, or earlier; a month has no more days than it has: 31 March less a month is 28
    February. Beyond the calendar is its first or its last day.
    """
    amount = -span.amount if back else span.amount
    try:
        if span.unit in _DAYS:
            return day + timedelta(days=amount * _DAYS[span.unit])
        years, month = divmod(day.month - 1 + amount * _MONTHS[span.unit], 12)
        year = day.year + years
        return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
    except (OverflowError, ValueError):
        return date.min if back else date.max


def bounds_of(condition: Condition, today: date) -> list[Bound]:
    """Return what must hold of a day; for the ``NEGATED`` operators: what must not hold as a whole.

    The last 30 days are today and whatever is at most 30 days before it; the next 30 likewise.
    """
    first, last = _ends(condition, today)
    return list(zip(_BOUNDS[condition.operator], (first, last), strict=False))


def anniversaries(today: date) -> list[str]:
    """Return the days of the year, as ``MM-DD``, that are celebrated today: 29 February on the 28th of a short one."""
    found = [f"{today:%m-%d}"]
    if found == ["02-28"] and not calendar.isleap(today.year):
        found.append("02-29")
    return found


def _ends(condition: Condition, today: date) -> tuple[date, date]:
    span = condition.operands[0]
    if not isinstance(span, Span):
        return date.fromisoformat(str(span)), date.fromisoformat(str(condition.operands[-1]))
    if condition.operator == "in_next":
        return today, move(today, span)
    then = move(today, span, back=True)
    return then, then if condition.operator == "ago" else today
