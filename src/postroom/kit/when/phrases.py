"""The phrases that times are made of, each with what it says."""

import re
from collections.abc import Callable
from datetime import date, time, timedelta, timezone
from typing import Final

from postroom.kit.when.reading import MIDNIGHT, NOON, Reading
from postroom.kit.when.spans import SPAN, add_span, shift
from postroom.kit.when.zones import OFFSETS, PLACES, find_zone

_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PARTS: Final = {"morning": time(6), "afternoon": time(15), "evening": time(20), "night": time(20)}
_MONTH: Final = rf"({'|'.join(_MONTHS)})[a-z]{{0,6}}\.?"
_WEEKDAY: Final = r"(mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?(?![a-z])"


def _take_now(reading: Reading, found: re.Match[str]) -> None:
    reading.instant = reading.now


def _take_casual(reading: Reading, found: re.Match[str]) -> None:
    days = {"today": 0, "tonight": 0, "tomorrow": 1, "tmr": 1, "tmrw": 1}
    days_ahead = 2 if found[1].endswith("tomorrow") and found[1] != "tomorrow" else days[found[1]]
    reading.set_day(reading.now.date() + timedelta(days_ahead), time(22) if found[1] == "tonight" else None)


def _take_part(reading: Reading, found: re.Match[str]) -> None:
    reading.usual = _PARTS[found[1]]
    if reading.day is None and found[0].startswith("this"):
        reading.set_day(reading.now.date(), reading.usual)


def _take_span(reading: Reading, found: re.Match[str]) -> None:
    at, is_short = add_span(reading.now, found[1])
    if is_short:
        reading.instant = at
    else:
        reading.set_day(at.date(), None)


def _take_next(reading: Reading, found: re.Match[str]) -> None:
    if found[1] == "week":
        reading.is_next_week = True
    reading.set_day(shift(reading.now, 1, found[1]).date(), None)


def _take_weekday(reading: Reading, found: re.Match[str]) -> None:
    reading.set_weekday(_WEEKDAYS.index(found[2][:3]), found[1] or "")


def _take_date(reading: Reading, found: re.Match[str]) -> None:
    reading.set_day(date(int(found[1]), int(found[2]), int(found[3])), MIDNIGHT)


def _take_american(reading: Reading, found: re.Match[str]) -> None:
    reading.set_day(date(int(found[3]), int(found[1]), int(found[2])), MIDNIGHT)


def _take_month_day(reading: Reading, found: re.Match[str]) -> None:
    _take_named(reading, found[1], int(found[2]), found[3])


def _take_day_month(reading: Reading, found: re.Match[str]) -> None:
    _take_named(reading, found[2], int(found[1]), found[3])


def _take_named(reading: Reading, month: str, day: int, year: str | None) -> None:
    number = int(year) if year else reading.now.year
    reading.set_day(date(number, _MONTHS.index(month) + 1, day), NOON, has_year=bool(year))


def _take_clock(reading: Reading, found: re.Match[str]) -> None:
    hour, half = int(found[1]), (found[4] or "")[:1]
    if half:
        if not 1 <= hour <= 12:
            raise ValueError("no hour of the half day")
        hour = hour % 12 + (12 if half == "p" else 0)
    clock = time(hour, int(found[2] or 0), int(found[3] or 0))
    reading.set_clock(clock, is_bare_hour=not half)


def _take_noon(reading: Reading, found: re.Match[str]) -> None:
    reading.set_clock(MIDNIGHT if found[0].endswith("midnight") else NOON)


def _take_offset(reading: Reading, found: re.Match[str]) -> None:
    sign = -1 if found[1] == "-" else 1
    reading.set_zone(timezone(sign * timedelta(hours=int(found[2]), minutes=int(found[3] or 0))))


def _take_zone(reading: Reading, found: re.Match[str]) -> None:
    reading.set_zone(find_zone(found[0]))


Taker = Callable[[Reading, re.Match[str]], None]
PHRASES: Final[tuple[tuple[re.Pattern[str], Taker], ...]] = tuple(
    (re.compile(pattern, re.ASCII), take)
    for pattern, take in (
        (r"(?:right )?now(?![a-z])", _take_now),
        (r"(today|tonight|day after tomorrow|tomorrow|tmrw?)(?![a-z])", _take_casual),
        (r"(?:in (?:the )?|this )?(morning|afternoon|evening|night)(?![a-z])", _take_part),
        (rf"in ({SPAN})", _take_span),
        (rf"({SPAN}) (?:from now|later|hence)(?![a-z])", _take_span),
        (r"next (week|month|year)(?![a-z])", _take_next),
        (rf"(?:(next|this|coming)\s)?{_WEEKDAY}", _take_weekday),
        (r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?!\d)t?", _take_date),
        (r"(\d{1,2})/(\d{1,2})/(\d{4})(?!\d)", _take_american),
        (rf"{_MONTH}\s*(\d{{1,2}})(?:st|nd|rd|th)?(?![\d:])(?:,?\s*(\d{{4}})(?![\d:]))?", _take_month_day),
        (rf"(\d{{1,2}})(?:st|nd|rd|th)?\s*(?:of )?{_MONTH}(?:,?\s*(\d{{4}})(?![\d:]))?", _take_day_month),
        (r"(?:at )?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,6})?)?\s*([ap]\.?m(?:\.|(?![a-z])))?", _take_clock),
        (r"(?:at )?(\d{1,2})()()\s*([ap]\.?m(?:\.|(?![a-z])))", _take_clock),
        (r"at (\d{1,2})()()()(?: o'?clock)?(?![\d:/.-])", _take_clock),
        (r"(?<!\w)(?:at )?(?:noon|midday|midnight)(?![a-z])", _take_noon),
        (r"(?:gmt|utc)?([+-])(\d{1,2}):?(\d{2})?(?!\d)", _take_offset),
        (rf"(?:{'|'.join(sorted((*OFFSETS, *PLACES), key=len, reverse=True))})(?![a-z/+-])", _take_zone),
        (r"[a-z]+(?:/[a-z0-9_+-]+){1,2}", _take_zone),
    )
)
