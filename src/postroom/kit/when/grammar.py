"""Reads a whole text, phrase by phrase."""

import re
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from postroom.kit.errors import Invalid
from postroom.kit.when.phrases import PHRASES
from postroom.kit.when.reading import Reading, resolve

LONGEST: Final = 100

_IGNORED: Final = re.compile(r"(?:[\s,]+|(?:on|the|of|@)(?![a-z])|\([^()]*\))+")
_ISO: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|z|[+-]\d{2}:?\d{2})?)?", re.ASCII
)


class BadTime(Invalid):
    """This is no time that can be read."""

    code = "bad_time"


def read_when(text: str, *, now: datetime, zone: str) -> datetime:
    """Return the instant, in UTC, that a person in ``zone`` who writes ``text`` at ``now`` means. Raises BadTime."""
    words = " ".join(text.split())
    local = now.astimezone(ZoneInfo(zone))
    try:
        if not words or len(words) > LONGEST:
            raise ValueError("too long")
        return (_read_iso(words, local) or resolve(_read(words.lower(), local))).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadTime(f"Invalid date format: {text[:LONGEST]}") from error


def _read_iso(words: str, now: datetime) -> datetime | None:
    """Return an ISO 8601 time; one without an offset is by the reader's clock."""
    if not _ISO.fullmatch(words):
        return None
    at = datetime.fromisoformat(words)
    return at.replace(tzinfo=now.tzinfo) if at.tzinfo is None else at


def _read(words: str, now: datetime) -> Reading:
    """Read phrase by phrase. Raises ValueError at the first that is not understood."""
    reading = Reading(now)
    position = _skip(words, 0)
    if position == len(words):
        raise ValueError("nothing to read")
    while position < len(words):
        for phrase, take in PHRASES:
            if found := phrase.match(words, position):
                take(reading, found)
                position = _skip(words, found.end())
                break
        else:
            raise ValueError(f"not understood: {words[position:]}")
    return reading


def _skip(words: str, position: int) -> int:
    ignored = _IGNORED.match(words, position)
    return ignored.end() if ignored else position
