"""Values of segments and audiences."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from postroom.kit.types import JSONObject, JSONValue


@dataclass(frozen=True, slots=True)
class Audience:
    """Who a campaign is for: members of the lists, matches of a segment (both: in both), or everyone (neither)."""

    list_ids: tuple[int, ...] = ()
    segment_id: int | None = None


@dataclass(frozen=True, slots=True)
class SegmentPreview:
    """How many people a filter finds, and the newest of them as (id, e-mail, name)."""

    count: int
    sample: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether a part of a filter holds for one person: a ``condition`` with the person's ``value``, or a group whose
    ``match`` is all or any of its ``parts``.
    """

    holds: bool
    condition: JSONObject | None = None
    value: JSONValue = None
    match: str = ""
    parts: tuple["Explanation", ...] = ()


class Deed(StrEnum):
    """What a person did with mail, or what became of it. Opens and clicks of machines are nobody's deed."""

    SENT = "sent"
    OPENED = "opened"
    CLICKED = "clicked"
    REPLIED = "replied"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL and the values of its placeholders."""

    text: str
    params: tuple[Any, ...] = ()
