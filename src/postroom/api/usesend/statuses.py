"""What happened to a message, in useSend's words."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from postroom.api.usesend.ids import write_id
from postroom.api.usesend.schemas.emails import EmailEvent
from postroom.core.mail.types import EventType, MessageEvent, MessageStatus
from postroom.kit.types import JSONObject

if TYPE_CHECKING:
    from postroom.core.mail.models import Message

WORDS: Final = {
    EventType.SENT: "SENT",
    EventType.DEFERRED: "DELIVERY_DELAYED",
    EventType.DELIVERED: "DELIVERED",
    EventType.BOUNCED: "BOUNCED",
    EventType.OPENED: "OPENED",
    EventType.CLICKED: "CLICKED",
    EventType.COMPLAINED: "COMPLAINED",
    EventType.FAILED: "FAILED",
}
"""useSend has no word for the others: an answer, and somebody who unsubscribed."""

PRECEDENCE: Final = ("QUEUED", *WORDS.values(), "SUPPRESSED")
"""Weakest first: of facts at one instant, the stronger one is told last."""


def tell_events(message: "Message", events: list[MessageEvent]) -> list[EmailEvent]:
    """Return what happened to a message, oldest first."""
    told = [*_own_events(message), *(_event(message, event) for event in events if event.type in WORDS)]
    return sorted(told, key=lambda event: (event.created_at, PRECEDENCE.index(event.status)))


def _own_events(message: "Message") -> Iterator[EmailEvent]:
    if message.status == MessageStatus.SUPPRESSED:
        data: JSONObject = {
            "error": "All TO recipients are suppressed. No emails to send.",
            "reason": message.reply_text,
        }
        yield EmailEvent(email_id=write_id(message.uid), status="SUPPRESSED", created_at=message.created_at, data=data)


def _event(message: "Message", event: MessageEvent) -> EmailEvent:
    facts = {"url": event.url, "userAgent": event.agent, "ip": event.ip, "isBot": event.is_bot or None}
    data = {**event.data, **{name: value for name, value in facts.items() if value}}
    return EmailEvent(email_id=write_id(message.uid), status=WORDS[event.type], created_at=event.at, data=data or None)
