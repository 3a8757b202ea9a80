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
class Submission:
    """A finished mail as a program hands it over: subject, HTML and text are final words, not templates.

    Address fields hold ``Name <address>`` or bare addresses, several to a text when commas part them. A template of the
    workspace, filled with ``variables``, takes the place of subject and HTML. ``in_reply_to`` names the message that
    this one answers.
    """

    from_address: str
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    subject: str = ""
    html: str = ""
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    template_uid: UUID | None = None
    variables: Mapping[str, JSONValue] = field(default_factory=dict)
    in_reply_to: UUID | None = None
    scheduled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Once:
    """Makes a repeated request safe: the caller's key, and the SHA-256 of what the request asks for."""

    key: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class MessageEvent:
    """One thing that happened to a message; ``url`` of the link that was followed, ``data`` as it was reported."""

    type: EventType
    at: datetime
    url: str = ""
    agent: str = ""
    ip: str = ""
    is_bot: bool = False
    data: Mapping[str, JSONValue] = field(default_factory=dict)


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

    ``key`` de-duplicates redeliveries: equal keys are applied once. ``message_id`` is the ledger row, which may not
    have been written yet when an event overtakes it. ``ip`` is already shortened (/24 or /48).
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


@dataclass(frozen=True, slots=True)
class NewSender:
    """A sender account to create. ``config`` of an SMTP account: host, port, security (none, starttls, tls),
    max_connections; ``credentials``: username, password. ``daily_limit`` is in messages per day (UTC).
    """

    name: str
    provider: Provider
    from_email: str
    from_name: str = ""
    reply_to: str = ""
    domain_id: int | None = None
    config: Mapping[str, JSONValue] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict)
    daily_limit: int | None = None


@dataclass(frozen=True, slots=True)
class NewTemplate:
    """A template to create: its name, unique with its language in the workspace, and what the author wrote."""

    name: str
    composition: Composition
    language: str = "en"


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """One record that a domain's owner publishes."""

    type: str
    name: str
    value: str
    purpose: str


@dataclass(frozen=True, slots=True)
class BatchTotals:
    """What became of an audience when it was frozen: accepted recipients, and refused ones by reason."""

    total: int
    fenced: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """Where a batch stands. ``sent = delivered + bounced + pending + in_doubt``; what was never handed over and never
    will be (``fenced``, ``suppressed``, ``failed``, ``cancelled``) is counted beside it.
    """

    total: int
    fenced: int
    sent: int
    delivered: int
    bounced: int
    pending: int
    in_doubt: int
    failed: int
    suppressed: int
    cancelled: int
    opened: int
    machine_opened: int
    clicked: int
    scanner_clicked: int
    complained: int
    unsubscribed: int
    replied: int


@dataclass(frozen=True, slots=True)
class SenderProfile:
    """All that carrying a sender account's mail needs, its secrets opened."""

    id: int
    provider: Provider
    config: Mapping[str, JSONValue]
    credentials: Mapping[str, str]
    from_name: str
    from_email: str
    reply_to: str
    domain: str
    selector: str
    signing: Signing
    rsa_private: str
    ed25519_private: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One claimed message, ready to render. ``refusal`` is the may-we-mail reason when it must not leave after all."""

    message_id: int
    batch_id: int | None
    content_id: int
    message_class: MessageClass
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    from_address: str
    reply_to: tuple[str, ...]
    headers: Mapping[str, str]
    slots: Mapping[str, JSONValue]
    message_id_header: str
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class ChunkClaim:
    """The right to send one chunk: void as soon as the chunk's owner or attempt is another."""

    chunk_id: int
    owner: str
    attempt: int


@dataclass(frozen=True, slots=True)
class MessagesClaim:
    """The right to send single messages: each void as soon as its owner or attempt is another."""

    owner: str
    attempts: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Work:
    """One claim of one sender account, with everything its messages need."""

    claim: ChunkClaim | MessagesClaim
    sender_id: int
    is_urgent: bool
    items: tuple[Outgoing, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Which claims an owner still holds, and which of their batches somebody wants stopped."""

    chunks: frozenset[tuple[int, int]]
    messages: frozenset[tuple[int, int]]
    stopped_batches: frozenset[int]


NOTIFY_QUEUE: Final = "postroom_mail_queue"
"""PostgreSQL channel on which senders hear of new work, pauses and cancellations."""

NOTIFY_HITS: Final = "postroom_mail_hits"
"""PostgreSQL channel on which workers hear of stored events waiting to be applied."""
