"""Frozen values and enumerations of the webhooks app."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import TextChoices

from postroom.kit.types import JSONValue

NOTIFY_CALLS: Final = "postroom_webhook_calls"
"""PostgreSQL channel on which deliverers hear of new calls."""

TEST_EVENT: Final = "webhook.test"

EVENTS: Final = (
    "email.queued",
    "email.sent",
    "email.delivery_delayed",
    "email.delivered",
    "email.bounced",
    "email.rejected",
    "email.rendering_failure",
    "email.complained",
    "email.failed",
    "email.cancelled",
    "email.suppressed",
    "email.opened",
    "email.clicked",
    "contact.created",
    "contact.updated",
    "contact.deleted",
    "member.created",
    "member.updated",
    "member.deleted",
    "domain.created",
    "domain.verified",
    "domain.updated",
    "domain.deleted",
)
"""All that happens and is told. ``contact`` is a person of the workspace, ``member`` a person on one of its lists."""

MAIL_EVENTS: Final = tuple(name for name in EVENTS if name.startswith("email."))
"""All that happens to mail."""


class EndpointStatus(TextChoices):
    """Whether a webhook is called; ``disabled`` is what we do to one that only ever fails."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"


class CallStatus(TextChoices):
    """The life of a call. ``discarded``: its webhook was paused or switched off before it was answered."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    DELIVERED = "delivered"
    FAILED = "failed"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something that happened: its ``type`` (one of ``EVENTS``), the facts in the core's words, and the sending domain
    and the person it is about, if any.
    """

    type: str
    data: Mapping[str, JSONValue]
    mail_domain: str = ""
    contact_id: int | None = None


@dataclass(frozen=True, slots=True)
class EndpointTerms:
    """What the owner of a webhook decides: the address, the events in the door's words (none: all), and the sending
    domains whose mail it is about (none: all).
    """

    url: str
    description: str = ""
    event_types: tuple[str, ...] = ()
    mail_domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CallToWrite:
    """A call as a dialect writes it down. ``attempt`` counts from 1; ``secret`` signs what is sent at ``now``."""

    uid: UUID
    type: str
    data: Mapping[str, JSONValue] = field(repr=False)
    attempt: int
    created_at: datetime
    workspace_id: int
    endpoint_uid: UUID
    secret: str = field(repr=False)
    now: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """A call in the words of a dialect: its own headers, and the octets of its body."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """A call that this deliverer makes now, and nobody else: what to send, and how long to wait for the answer."""

    uid: UUID
    endpoint_id: int
    attempts: int
    door: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    deadline_s: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one delivery: the ``code`` of the answer (0: none, and ``error`` says why) and what it said."""

    delivery: Delivery
    at: datetime
    code: int = 0
    text: str = ""
    error: str = ""
    duration_ms: int = 0
    retry_after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls of a webhook to show: of one status, of one event, older than one call."""

    status: str = ""
    type: str = ""
    before: UUID | None = None


@dataclass(frozen=True, slots=True)
class HourCount:
    """How many calls ended well and badly in the hour that begins at ``at``."""

    at: datetime
    delivered: int
    failed: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A call as the page shows it: what was sent the last time, signatures left out."""

    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
