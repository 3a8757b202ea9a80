"""Values of single messages: what is asked for, and what was accepted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from postroom.core.mail.types.words import BodyFormat, EventType, MessageClass, MessageStatus
from postroom.core.workspaces.types import Actor
from postroom.kit.types import JSONValue


@dataclass(frozen=True, slots=True)
class Composition:
    """What an author wrote: Liquid in ``subject``, ``body`` (MJML or HTML) and ``text`` (empty: made from the body)."""

    subject: str
    body: str
    body_format: BodyFormat = BodyFormat.HTML
    text: str = ""
    preheader: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message. With a ``content_id`` it is shown inside the HTML (``cid:``), else attached."""

    name: str
    content_type: str
    content: bytes
    content_id: str = ""


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
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Submission:
    """A finished mail as a program hands it over: subject, HTML and text are final words, not templates.

    Address fields hold ``Name <address>`` or bare addresses, several to a text when commas part them. A template of the
    workspace, filled with ``variables``, takes the place of subject and HTML. ``in_reply_to`` names the message that
    this one answers. ``shown`` has the texts of its To and Cc fields (by ``to`` and ``cc``) where they are not just the
    addresses it goes to.
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
    attachments: tuple[Attachment, ...] = ()
    shown: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Once:
    """Makes a repeated request safe: the caller's key, and the SHA-256 of what the request asks for."""

    key: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class SubmitRequest:
    """What one caller hands over at a time: all of it is accepted or none. With a ``mail_domain`` it may be from that
    domain only.
    """

    workspace_id: int
    actor: Actor
    submissions: Sequence[Submission]
    once: Once | None = None
    mail_domain: str = ""


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
class Mailing:
    """What messages of one claim have in common: one object for all recipients of a batch."""

    batch_id: int | None
    content_id: int
    message_class: MessageClass
    from_address: str = ""
    reply_to: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()


class Outgoing(NamedTuple):
    """One claimed message, ready to render. ``refusal`` is the may-we-mail reason when it must not leave after all.

    ``shown`` has the texts of its To and Cc fields where they are not just the addresses it goes to. ``safe_until``
    (Unix seconds): it may have left before, and leaves again only by its own account and before then; 0 where there is
    no such doubt.
    """

    message_id: int
    mailing: Mailing
    to: tuple[str, ...]
    slots: Mapping[str, JSONValue]
    message_id_header: str
    refusal: str = ""
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    safe_until: float = 0.0
    shown: Mapping[str, tuple[str, ...]] = {}
