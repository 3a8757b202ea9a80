"""What was read of a time, and the instant that it means."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

NOON: Final = time(12)
MIDNIGHT: Final = time(0)


@dataclass(slots=True)
class Reading:
    """What was read so far; ``now`` is shown by the reader's own clock. ``usual`` is the clock of a day without one."""

    now: datetime
    day: date | None = None
    weekday: int | None = None
    which: str = ""
    clock: time | None = None
    is_bare_hour: bool = False
    usual: time | None = None
    zone: tzinfo | None = None
    instant: datetime | None = None
    has_year: bool = True
    is_next_week: bool = False

    def set_day(self, day: date, usual: time | None, *, has_year: bool = True) -> None:
        """Take a day. Raises ValueError for a second one."""
        if self.day is not None or self.instant is not None:
            raise ValueError("two days")
        self.day, self.usual, self.has_year = day, usual or self.usual, has_year

    def set_clock(self, clock: time, *, is_bare_hour: bool = False) -> None:
        """Take a time of day. Raises ValueError for a second one."""
        if self.clock is not None:
            raise ValueError("two times of day")
        self.clock, self.is_bare_hour = clock, is_bare_hour

    def set_weekday(self, weekday: int, which: str) -> None:
        """Take a day of the week, 0 for Monday. Raises ValueError for a second one."""
        if self.weekday is not None:
            raise ValueError("two weekdays")
        self.weekday, self.which = weekday, which

    def set_zone(self, zone: tzinfo) -> None:
        """Take the zone that the clock is of. Raises ValueError for a second one."""
        if self.zone is not None:
            raise ValueError("two zones")
        self.zone = zone


def resolve(reading: Reading) -> datetime:
    """Return the instant. Raises ValueError for parts that contradict each other."""
    if reading.instant is not None:
        if reading.clock or reading.weekday is not None:
            raise ValueError("a span of hours has no time of day")
        return reading.instant
    day, clock = _day(reading), _clock(reading)
    at = _at(reading, day, clock)
    if at > reading.now:
        return at
    return _at(reading, _coming(reading, day), clock)


def _at(reading: Reading, day: date, clock: time) -> datetime:
    zone = reading.zone or reading.now.tzinfo
    # By way of UTC, a time that the clock skips in spring comes after the gap.
    return datetime.combine(day, clock, zone).astimezone(UTC)


def _day(reading: Reading) -> date:
    today = reading.now.date()
    if reading.weekday is None:
        return reading.day or today
    if reading.which == "next" or reading.is_next_week:
        return today + timedelta(7 - today.weekday() + reading.weekday)
    if reading.day is not None:
        return reading.day  # a weekday beside a date says nothing new
    return today + timedelta((reading.weekday - today.weekday()) % 7)


def _clock(reading: Reading) -> time:
    if reading.clock is None:
        has_weekday = reading.weekday is not None and (reading.day is None or reading.is_next_week)
        return reading.usual or (NOON if has_weekday else reading.now.timetz().replace(tzinfo=None))
    is_late = reading.usual is not None and reading.usual >= time(15)
    if reading.is_bare_hour and is_late and reading.clock.hour < 12:
        return reading.clock.replace(hour=reading.clock.hour + 12)
    return reading.clock


def _coming(reading: Reading, day: date) -> date:
    """Return the day on which what has passed comes again, for what names no single day."""
    if reading.day is None and reading.weekday is not None:
        return day + timedelta(7)
    if reading.day is not None and not reading.has_year:
        return day.replace(year=day.year + 1)
    if reading.day is None and reading.usual is None:
        return day + timedelta(1)
    return day
