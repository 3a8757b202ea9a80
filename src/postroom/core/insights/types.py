"""Frozen values of the insights app."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import TextChoices

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
class DestinationCounts:
    """Where the recipients at one mailbox provider stand."""

    destination: str
    counts: "BatchCounts"


@dataclass(frozen=True, slots=True)
class VariantCounts:
    """Where the recipients of one content stand."""

    content_id: int
    subject: str
    counts: "BatchCounts"


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """What became of a campaign: nothing but the campaign itself before its audience is frozen.

    ``fenced`` maps each reason of the may-we-mail rule to how many people it kept out at acceptance; ``hours`` are the
    first 24 since the start. ``destinations`` and ``variants`` have the largest first; one variant alone is none.
    """

    campaign: "Campaign"
    counts: "BatchCounts | None"
    fenced: Mapping[str, int]
    hours: tuple[HourCounts, ...]
    links: tuple[LinkCounts, ...]
    destinations: tuple[DestinationCounts, ...] = ()
    variants: tuple[VariantCounts, ...] = ()


class TimelineKind(TextChoices):
    """What a timeline can be narrowed to."""

    MAIL = "mail", "Mail"
    ENGAGEMENT = "engagement", "Opens and clicks"
    CONSENT = "consent", "Consent"
    LISTS = "lists", "Lists and tags"
    CHANGES = "changes", "Changes"
    NOTES = "notes", "Notes"
    ACCOUNTS = "accounts", "Companies"
    ARRIVALS = "arrivals", "Arrival"


@dataclass(frozen=True, slots=True)
class Reference:
    """The thing an entry leads to: a ``campaign``, an ``import``, an ``account`` or an ``interaction``."""

    kind: str
    uid: UUID


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing in the life of a person: ``kind`` is a dotted word for its icon, ``link`` the address they clicked,
    ``who`` did it and through which door, as far as somebody did.
    """

    at: datetime
    kind: str
    title: str
    detail: str = ""
    link: str = ""
    who: str = ""
    about: Reference | None = None
    is_private: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """A stretch of a person's life, newest first; ``next`` says where the older rest begins, empty at the end."""

    entries: tuple[TimelineEntry, ...]
    next: str = ""


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
