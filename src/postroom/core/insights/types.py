"""Frozen values of the insights app."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from postroom.core.campaigns.models import Campaign
    from postroom.core.mail.types import BatchCounts


@dataclass(frozen=True, slots=True)
class HourCounts:
    """What happened in the hour that begins at ``at``; machines and scanners are counted apart from people."""

    at: datetime
    opened: int = 0
    machine_opened: int = 0
    clicked: int = 0
    scanner_clicked: int = 0


@dataclass(frozen=True, slots=True)
class LinkCounts:
    """How often a link was followed: ``clicks`` by ``people``, and by scanners."""

    url: str
    clicks: int
    people: int
    scanner_clicks: int


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """What became of a campaign: nothing but the campaign itself before its audience is frozen.

    ``fenced`` maps each reason of the may-we-mail rule to how many people it kept out at acceptance; ``hours`` are the
    first 24 since the start.
    """

    campaign: "Campaign"
    counts: "BatchCounts | None"
    fenced: Mapping[str, int]
    hours: tuple[HourCounts, ...]
    links: tuple[LinkCounts, ...]


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing in the life of a person: ``kind`` is a dotted word for its icon, ``link`` the address they clicked."""

    at: datetime
    kind: str
    title: str
    detail: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many messages were sent, and what became of them."""

    sent: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    bounced: int = 0
    complained: int = 0


@dataclass(frozen=True, slots=True)
class DayCounts(Counts):
    """What happened on one day of the workspace's own time."""

    on: date = date.min


@dataclass(frozen=True, slots=True)
class Overview:
    """A workspace at a glance: the last 30 days by day and in sum, and how things stand right now."""

    days: tuple[DayCounts, ...]
    totals: Counts
    contact_count: int
    campaign_count: int
    waiting: int
    has_sender: bool
