"""Values of segments and audiences."""

from dataclasses import dataclass


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
