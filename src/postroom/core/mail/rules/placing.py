"""Where a recipient of a bulk hand-over belongs: when their mail leaves, and which of several contents they get."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from postroom.core.mail.types import LocalTime, Split
from postroom.kit import crypto

_PARTS: Final = 1 << 32


def draw_content(split: Split, contact_id: int) -> int | None:
    """Return the content that a person of the sample gets, None for everybody else.

    The draw is a keyed hash of what is split and the person: the same on any machine and at any time, even over the
    people, and no two splits choose alike.
    """
    drawn = crypto.keyed_hash("split", b"%d:%d" % (split.seed, contact_id), 8)
    if int.from_bytes(drawn[:4]) * 100 >= split.percent * _PARTS:
        return None
    return split.contents[int.from_bytes(drawn[4:]) * len(split.contents) // _PARTS]


def when_in(wanted: LocalTime, zone: str) -> datetime:
    """Return the instant at which it is ``wanted`` in ``zone``; a zone that is empty or unknown means the default one.

    An hour that a clock skips comes an hour later, and one that it shows twice counts the first time.
    """
    return wanted.wall.replace(tzinfo=_zone(zone) or _zone(wanted.default_zone) or UTC, fold=0).astimezone(UTC)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):  # not found, not a name, the name of a folder
        return None
