"""What happened to a message, in useSend's words."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from postroom.api.usesend.ids import write_id
from postroom.api.usesend.schemas.emails import EmailEvent
from postroom.core.mail import selectors as mail
from postroom.core.mail.rules.refusals import classify_reply
from postroom.core.mail.types import EventType, MessageEvent, MessageStatus, RefusalKind
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
"""Weakest first."""

_ENDS: Final = {
    MessageStatus.SUPPRESSED: "SUPPRESSED",
    MessageStatus.CANCELLED: "CANCELLED",
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
    if message.status == MessageStatus.FAILED:
        known = [_failure(message) if word == "BOUNCED" else word for word in known] or [_failure(message)]
    elif message.status in _ENDS:
        known.append(_ENDS[MessageStatus(message.status)])
    if not known:
        return "SCHEDULED" if mail.is_scheduled(message=message) else "QUEUED"
    return max(known, key=PRECEDENCE.index)


def _failure(message: "Message") -> str:
    """Return how a message failed: it could not be made, who carries our mail refused it, its receiver did, or else."""
    if message.content_id is None:
        return "RENDERING_FAILURE"
    if message.bounced_at is None:
        return "FAILED"
    kind = classify_reply(message.reply_code, message.bounce_code, message.reply_text)
    return "REJECTED" if kind is RefusalKind.CONFIGURATION else "BOUNCED"


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
    word = WORDS[event.type]
    if event.type is EventType.BOUNCED and event.data.get("kind") == RefusalKind.CONFIGURATION:
        word = "REJECTED"
    if event.type is EventType.FAILED and message.content_id is None:
        word = "RENDERING_FAILURE"
    facts = {"url": event.url, "userAgent": event.agent, "ip": event.ip, "isBot": event.is_bot or None}
    data = {**event.data, **{name: value for name, value in facts.items() if value}}
    return EmailEvent(email_id=write_id(message.uid), status=word, created_at=event.at, data=data or None)
