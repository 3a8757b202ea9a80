"""Frozen values and enumerations of the mail app."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import TextChoices

from postroom.kit.types import JSONValue


class MessageClass(TextChoices):
    """Why a message is sent; the may-we-mail rule and the headers depend on it."""

    TRANSACTIONAL = "transactional"
    MARKETING = "marketing"
    OUTREACH = "outreach"
    REPLY = "reply"
    SYSTEM = "system"


class MessageStatus(TextChoices):
    """Where a message stands. Delivery facts (opened, bounced …) are columns beside it and never move it backwards."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    WIRE = "wire"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    IN_DOUBT = "in_doubt"
    CANCELLED = "cancelled"


class BatchStatus(TextChoices):
    """The life of a bulk hand-over. ``pausing``/``cancelling`` last until every sender has put its chunk back."""

    FREEZING = "freezing"
    SENDING = "sending"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    DONE = "done"
    FAILED = "failed"


class ChunkStatus(TextChoices):
    """The life of one chunk of a batch's recipients."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    DONE = "done"
    CANCELLED = "cancelled"


class EventType(TextChoices):
    """What may happen to a message after it was queued."""

    SENT = "sent"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    FAILED = "failed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    OPENED = "opened"
    CLICKED = "clicked"
    UNSUBSCRIBED = "unsubscribed"
    REPLIED = "replied"


class Channel(TextChoices):
    """What a sender account speaks."""

    EMAIL = "email"
    SMS = "sms"
    VOICEMAIL = "voicemail"


class Provider(TextChoices):
    """Who carries the mail of a sender account."""

    SANDBOX = "sandbox"
    SMTP = "smtp"


class Signing(TextChoices):
    """Which DKIM signatures a domain adds (RFC 6376, RFC 8463)."""

    NONE = "none"
    RSA = "rsa"
    ED25519 = "ed25519"
    BOTH = "both"


class BodyFormat(TextChoices):
    """The language a template's body is written in."""

    HTML = "html"
    MJML = "mjml"


class InboundKind(TextChoices):
    """What an inbound message turned out to be."""

    UNKNOWN = "unknown"
    BOUNCE = "bounce"
    DELAY = "delay"
    COMPLAINT = "complaint"
    AUTO_REPLY = "auto_reply"
    REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Composition:
    """What an author wrote: Liquid in ``subject``, ``body`` (MJML or HTML) and ``text`` (empty: made from the body)."""

    subject: str
    body: str
    body_format: BodyFormat = BodyFormat.HTML
    text: str = ""
    preheader: str = ""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """One message to accept: to one recipient set, with its own composition or a stored content.

    ``headers`` are extra header fields; their names and values are checked. ``slots`` fill the composition's variables.
    ``idempotency_key`` makes a second acceptance return the first one's message.
    """

    sender_id: int
    message_class: MessageClass
    to: tuple[str, ...]
    composition: Composition
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    from_address: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    slots: Mapping[str, JSONValue] = field(default_factory=dict)
    contact_id: int | None = None
    category_id: int | None = None
    list_ids: tuple[int, ...] = ()
    scheduled_at: datetime | None = None
    idempotency_key: str = ""
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class AcceptedMessage:
    """The answer for one accepted message; ``status`` is queued, or suppressed with the reason."""

    id: int
    uid: UUID
    status: MessageStatus
    reason: str = ""
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """One raw event as the edge received it, to be stored first and applied later.

    ``key`` de-duplicates redeliveries: equal keys are applied once. ``message_id`` is the ledger row, which may not have
    been written yet when an event overtakes it. ``ip`` is already shortened (/24 or /48).
    """

    key: str
    type: EventType
    message_id: int
    at: datetime
    link_index: int | None = None
    agent: str = ""
    ip: str = ""
    is_bot: bool = False
    data: Mapping[str, JSONValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InboundMail:
    """A mail as an SMTP client handed it over: ``raw`` holds the complete octets."""

    mail_from: str
    recipients: tuple[str, ...]
    raw: bytes


@dataclass(frozen=True, slots=True)
class CapturedMail:
    """A mail the sandbox server took."""

    return_path: str
    recipients: tuple[str, ...]
    raw: bytes


NOTIFY_QUEUE: Final = "postroom_mail_queue"
"""PostgreSQL channel on which senders hear of new work, pauses and cancellations."""

NOTIFY_HITS: Final = "postroom_mail_hits"
"""PostgreSQL channel on which workers hear of stored events waiting to be applied."""
