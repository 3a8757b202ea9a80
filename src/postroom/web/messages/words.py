"""What became of a message, as a person says it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.utils import timezone

from postroom.core.mail.types import EventType, MessageEvent, MessageFact, MessageOutlook, MessageStatus, RefusalKind
from postroom.web.templatetags.house import because, duration

if TYPE_CHECKING:
    from postroom.core.mail.models import Message

STATUSES: Final = (
    (MessageStatus.QUEUED, "Queued"),
    (MessageStatus.CLAIMED, "Sending"),
    (MessageStatus.SENT, "Sent"),
    (MessageStatus.DEFERRED, "Deferred"),
    (MessageStatus.FAILED, "Failed"),
    (MessageStatus.SUPPRESSED, "Suppressed"),
    (MessageStatus.IN_DOUBT, "In doubt"),
    (MessageStatus.CANCELLED, "Cancelled"),
)
"""The states that one can look for, in the order of a message's life."""

FACTS: Final = (
    (MessageFact.SCHEDULED, "Scheduled"),
    (MessageFact.DELIVERED, "Delivered"),
    (MessageFact.OPENED, "Opened"),
    (MessageFact.CLICKED, "Clicked"),
    (MessageFact.BOUNCED, "Bounced"),
    (MessageFact.COMPLAINED, "Reported as spam"),
)
"""What can be looked for that became of messages, whatever state they are in."""

_EVENTS: Final[Mapping[str, str]] = {
    EventType.SENT: "Sent",
    EventType.DELIVERED: "Taken by the receiving server",
    EventType.DEFERRED: "Deferred",
    EventType.FAILED: "Failed",
    EventType.BOUNCED: "Came back",
    EventType.COMPLAINED: "Reported as spam",
    EventType.OPENED: "Opened",
    EventType.CLICKED: "Followed a link",
    EventType.UNSUBSCRIBED: "Unsubscribed",
    EventType.REPLIED: "Replied",
    EventType.CANCELLED: "Cancelled",
}
_MACHINES: Final[Mapping[str, str]] = {
    EventType.OPENED: "Fetched by a machine",
    EventType.CLICKED: "A scanner followed a link",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a message's trail; ``kind`` names its icon."""

    at: datetime
    kind: str
    title: str
    detail: str = ""
    link: str = ""


def tell_trail(message: "Message", events: list[MessageEvent], key_name: str = "") -> Iterator[Step]:
    """Yield what happened to a message, oldest first, with how it came to be; by the key of that name, if by any."""
    yield Step(message.created_at, "pending", "Accepted", f"with the key {key_name}" if key_name else "")
    if message.scheduled_at is not None and message.scheduled_at > message.created_at:
        at = timezone.localtime(message.scheduled_at)
        yield Step(message.created_at, "scheduled", "Scheduled", f"for {at:%-d %b %Y %H:%M}")
    for event in events:
        title = _MACHINES.get(event.type, "") if event.is_bot else ""
        yield Step(event.at, f"mail.{event.type}", title or _EVENTS[event.type], _detail(event), event.url)


def say_next(message: "Message", outlook: MessageOutlook, now: datetime) -> str:
    """Return a sentence on where a message stands and what happens to it next."""
    if message.bounced_at is not None:
        return f"It came back ({message.bounce_code or 'no code'}); nothing more is sent."
    if outlook.waits_for == "paused":
        return "Its campaign is paused; it goes on when the campaign does."
    if outlook.due_at is not None:
        return _say_try(message, outlook.due_at, now)
    return _ENDS.get(message.status, "") or f"It was never sent: {because(message.reply_text)}."


_ENDS: Final[Mapping[str, str]] = {
    MessageStatus.QUEUED: "It waits.",
    MessageStatus.DEFERRED: "It waits.",
    MessageStatus.CLAIMED: "A sender has it in hand at this moment.",
    MessageStatus.WIRE: "A sender has it in hand at this moment.",
    MessageStatus.SENT: "The receiving side took it.",
    MessageStatus.FAILED: "It could not be handed over, and is not tried again.",
    MessageStatus.IN_DOUBT: "The connection ended before an answer came: nobody knows whether it arrived. It is not "
    "sent again by itself, so that nobody gets it twice.",
    MessageStatus.CANCELLED: "Somebody cancelled it before it left.",
}


def _say_try(message: "Message", due_at: datetime, now: datetime) -> str:
    tries = (
        f"after {message.tries} {'try' if message.tries == 1 else 'tries'}" if message.tries else "for the first time"
    )
    seconds = round((due_at - now).total_seconds())
    when = f"in {duration(seconds)}" if seconds > 0 else "as soon as a sender is free"
    return f"Next try {when}, {tries}." if message.tries else f"It is sent {when}, {tries}."


def _detail(event: MessageEvent) -> str:
    """What was said about it, in one line."""
    said = event.data
    kind = said.get("kind")
    because_of = RefusalKind(str(kind)).label if kind in RefusalKind.values else ""
    words = " ".join(str(said[name]) for name in ("code", "enhanced", "text", "reason") if said.get(name))
    status = "" if said.get("code") else str(said.get("status") or "")
    return ": ".join(part for part in (because_of, f"{status} {words}".strip()) if part) or event.agent
