"""Reads of what happened to a message."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from postroom.core.mail.models import DeliveryEvent, Message, TrackedLink
from postroom.core.mail.types import EventType, MessageEvent

MAX_EVENTS: Final = 500
EARLIEST: Final = timedelta(days=1)
"""How much before a message's row its first event may be dated: campaign rows are appended after the mail left."""


def list_message_events(*, message: Message) -> list[MessageEvent]:
    """Return what happened to a message, oldest first, at most ``MAX_EVENTS`` beside its sending."""
    rows = DeliveryEvent.objects.filter(
        message_id=message.pk, workspace_id=message.workspace_id, at__gte=message.created_at - EARLIEST
    )
    found = list(rows.order_by("at", "key")[:MAX_EVENTS])
    clicked = {row.link_index for row in found if row.link_index is not None}
    links = TrackedLink.objects.filter(content_id=message.content_id or 0, index__in=clicked) if clicked else ()
    urls = {link.index: link.url for link in links}
    told = [_event(row, urls.get(row.link_index or 0, "") if row.link_index is not None else "") for row in found]
    return sorted([*_own_events(message), *told], key=lambda event: event.at)


def _own_events(message: Message) -> Iterator[MessageEvent]:
    """The row itself says when it was sent and delivered."""
    if message.sent_at is not None:
        yield MessageEvent(EventType.SENT, message.sent_at)
    if message.delivered_at is not None:
        yield MessageEvent(EventType.DELIVERED, message.delivered_at)


def _event(row: DeliveryEvent, url: str) -> MessageEvent:
    return MessageEvent(EventType(row.type), row.at, url, row.agent, row.ip, row.is_bot, row.data)
