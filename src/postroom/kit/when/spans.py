"""Spans of time in words: ``2 hours and 30 minutes``, ``a week``."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_WORDS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBERS: Final = {"a": 1, "an": 1, **{word: number for number, word in enumerate(_WORDS, 1)}}
_AMOUNT: Final = rf"(?<![a-z])(?:\d{{1,4}}\s?|(?:half an?|{'|'.join(_NUMBERS)})\s)"
_UNIT: Final = (
    r"(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|wks?|months?|years?|yrs?|mo|s|m|h|d|w|y)(?![a-z])"
)
SPAN: Final = rf"{_AMOUNT}{_UNIT}(?:(?:,\s?|\s?and\s|\s)?{_AMOUNT}{_UNIT}){{0,4}}"
"""Matches a span in small letters with single blanks."""

_PART: Final = re.compile(rf"({_AMOUNT})({_UNIT})")


def add_span(at: datetime, span: str) -> tuple[datetime, bool]:
    """Return the time a span later, and whether it goes by the world's clock: days and more go by the wall's."""
    is_short = False
    for amount, unit in _PART.findall(span):
        word = amount.strip()
        if word.startswith("half"):
            if unit[0] != "h":
                raise ValueError("half of what")
            at, is_short = shift(at, 30, "minutes"), True
        else:
            at = shift(at, int(word) if word.isdigit() else _NUMBERS[word], unit)
            is_short = is_short or (unit[0] in "smh" and not unit.startswith("mo"))
    return at, is_short


def shift(at: datetime, number: int, unit: str) -> datetime:
    """Return the time ``number`` units later."""
    if unit.startswith("mo"):
        return _add_months(at, number)
    if unit[0] == "y":
        return _add_months(at, 12 * number)
    if unit[0] in "dw":
        return at + timedelta(days=number * (7 if unit[0] == "w" else 1))
    seconds = {"s": 1, "m": 60, "h": 3600}[unit[0]]
    return (at.astimezone(UTC) + timedelta(seconds=number * seconds)).astimezone(at.tzinfo)


def _add_months(at: datetime, months: int) -> datetime:
    years, month = divmod(at.month - 1 + months, 12)
    for day in range(at.day, 27, -1):
        try:
            return at.replace(year=at.year + years, month=month + 1, day=day)
        except ValueError:
            continue
    return at.replace(year=at.year + years, month=month + 1)
