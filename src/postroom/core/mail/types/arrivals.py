"""Values of what comes in: events, mail sent back, mail the sandbox took."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from postroom.core.mail.types.words import EventType, Provider
from postroom.kit.types import JSONValue


class Hit(NamedTuple):
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
    data: Mapping[str, JSONValue] = MappingProxyType({})


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
class Delivery:
    """One webhook call of a provider whose sender was verified. ``key`` names the call where the provider gives calls
    names, else it is empty and the octets name it.
    """

    sender_id: int
    content_type: str
    body: bytes
    received_at: datetime
    key: str = ""
    is_inbound: bool = False


@dataclass(frozen=True, slots=True)
class ProviderFact:
    """One thing that a provider reports about a message. ``key`` is the same however often it is told. ``status`` is an
    RFC 3463 code where there is one; ``is_dead`` says that the address is not to be mailed again, by the provider's own
    classes; ``message_id`` is our number, which it kept for us.
    """

    key: str
    type: EventType
    at: datetime
    message_id: int
    recipient: str = ""
    status: str = ""
    reason: str = ""
    is_dead: bool = False
    agent: str = ""
    ip: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class WebhookAccount:
    """What telling a provider's webhook from a forged one needs, secrets opened."""

    sender_id: int
    provider: Provider
    config: Mapping[str, JSONValue]
    credentials: Mapping[str, str]
    password: str
