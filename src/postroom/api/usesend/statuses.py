"""What happened to a message, in useSend's words."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from postroom.api.usesend.ids import write_id
from postroom.api.usesend.schemas.emails import EmailEvent
from postroom.core.mail import selectors as mail
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
    EventType.CANCELLED: "CANCELLED",
}
"""useSend has no word for the others: an answer, and somebody who unsubscribed."""

PRECEDENCE: Final = (
    *("SCHEDULED", "CANCELLED", "RENDERING_FAILURE", "QUEUED", "SENT", "REJECTED", "DELIVERY_DELAYED", "DELIVERED"),
    *("BOUNCED", "OPENED", "CLICKED", "COMPLAINED", "FAILED", "SUPPRESSED"),
)
"""Weakest first. A message that cannot be rendered, or that its first server refuses, is FAILED or BOUNCED here: the
two words for that are of the one provider that useSend sends through.
"""

_ENDS: Final = {
    MessageStatus.SUPPRESSED: "SUPPRESSED",
    MessageStatus.CANCELLED: "CANCELLED",
    MessageStatus.FAILED: "FAILED",
    MessageStatus.DEFERRED: "DELIVERY_DELAYED",
}


def latest_status(message: "Message") -> str:
    """Return the strongest of what is known of a message; opens and clicks of machines are nobody's."""
    facts = {
        "SENT": message.sent_at,
        "DELIVERED": message.delivered_at,
        "BOUNCED": message.bounced_at,
        "OPENED": message.opened_at,
        "CLICKED": message.clicked_at,
        "COMPLAINED": message.complained_at,
    }
    known = [word for word, at in facts.items() if at is not None]
    if message.status in _ENDS and not (known and message.status == MessageStatus.FAILED):
        known.append(_ENDS[MessageStatus(message.status)])
    if not known:
        return "SCHEDULED" if mail.is_scheduled(message=message) else "QUEUED"
    return max(known, key=PRECEDENCE.index)


def changed_at(message: "Message") -> datetime:
    """Return when something was last noted of a message, as far as its own row says."""
    facts = (message.sent_at, message.delivered_at, message.bounced_at, message.opened_at, message.clicked_at)
    return max(at for at in (message.created_at, *facts, message.complained_at) if at is not None)


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
