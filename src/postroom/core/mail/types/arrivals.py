"""Values of what comes in: events, mail sent back, mail the sandbox took."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from postroom.core.mail.types.words import EventType
from postroom.kit.types import JSONValue


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
