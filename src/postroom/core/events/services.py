"""The outbox: facts are written where they happen and told to the subscribers of higher apps afterwards."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import connection, transaction
from django.db.models import Q

from postroom.core.events.models import DomainEvent
from postroom.core.events.selectors import to_event
from postroom.core.events.types import NOTIFY_EVENTS, Event, NewEvent
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit import notify
from postroom.kit.types import JSONValue

Handler = Callable[[Event], None]

MAX_ATTEMPTS: Final = 8
FIRST_RETRY: Final = timedelta(seconds=2)

_SCRUB: Final = """
UPDATE events_domainevent SET error = '', data = (
    SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(data)
    WHERE jsonb_typeof(value) IN ('number', 'boolean'))
WHERE contact_id = ANY(%s) AND (error <> '' OR data <> '{}')
"""

log = structlog.get_logger(__name__)
_handlers: dict[str, list[Handler]] = {}


def subscribe(name: str, handler: Handler) -> None:
    """Let ``handler`` hear every later event called ``name``; for ``apps.ready`` of higher apps.

    A handler runs in a transaction of its own with the mark that it ran, so its own writes happen once.
    """
    handlers = _handlers.setdefault(name, [])
    if handler not in handlers:
        handlers.append(handler)


def record_event(*, workspace: Workspace, event: NewEvent, now: datetime) -> None:
    """Write one fact; call it inside the transaction that made it true."""
    record_events(workspace=workspace, events=(event,), now=now)


def record_events(*, workspace: Workspace, events: Iterable[NewEvent], now: datetime) -> None:
    """Write many facts in one statement per 1,000; call it inside the transaction that made them true."""
    rows = [_to_row(workspace, event, now) for event in events]
    DomainEvent.objects.bulk_create(rows, batch_size=1000)
    if any(row.dispatched_at is None for row in rows):
        notify.notify(NOTIFY_EVENTS)


def record_act(
    *,
    workspace: Workspace,
    actor: Actor,
    act: AuditRecord,
    now: datetime,
    contact_id: int | None = None,
    data: Mapping[str, JSONValue] | None = None,
) -> None:
    """Append a write to the audit trail and tell it as an event of the same name; call it inside its transaction.

    ``data`` goes with the event: no personal data in it.
    """
    workspaces.record_audit(workspace=workspace, actor=actor, record=act, now=now)
    event = NewEvent(act.act, act.object_type, act.object_id or 0, contact_id=contact_id, data=data or {})
    record_event(workspace=workspace, event=event, now=now)


def move_contact_events(*, old_id: int, new_id: int) -> int:
    """Make the facts about one person those of another, whom they turned out to be; return how many."""
    return DomainEvent.objects.filter(contact_id=old_id).update(contact_id=new_id)


def dispatch_events(*, now: datetime, limit: int = 500) -> int:
    """Tell waiting facts to their subscribers, oldest first; return how many were looked at.

    Safe in any number of processes at once: each event is locked while it is told.
    """
    count = 0
    while count < limit and _dispatch_one(now):
        count += 1
    return count


def scrub_events(*, contact_ids: Iterable[int]) -> None:
    """Take the words out of the facts about an erased person, numbers stay; also those of subscribers that failed."""
    with connection.cursor() as cursor:
        cursor.execute(_SCRUB, [list(contact_ids)])


def _to_row(workspace: Workspace, event: NewEvent, now: datetime) -> DomainEvent:
    return DomainEvent(
        workspace=workspace,
        name=event.name,
        object_type=event.object_type,
        object_id=event.object_id,
        contact_id=event.contact_id,
        data=dict(event.data),
        at=now,
        # What nobody listens for has been heard by everybody: no second write for most of an import's rows.
        dispatched_at=None if _handlers.get(event.name) else now,
    )


@transaction.atomic
def _dispatch_one(now: datetime) -> bool:
    due = Q(next_attempt_at=None) | Q(next_attempt_at__lte=now)
    waiting = DomainEvent.objects.select_for_update(skip_locked=True).filter(due, dispatched_at=None)
    row = waiting.order_by("id").first()
    if row is None:
        return False
    try:
        with transaction.atomic():
            for handler in _handlers.get(row.name, ()):
                handler(to_event(row))
    except Exception as error:
        _put_back(row, error, now)
    else:
        row.dispatched_at = now
        row.save(update_fields=["dispatched_at"])
    return True


def _put_back(row: DomainEvent, error: Exception, now: datetime) -> None:
    row.attempts += 1
    row.error = f"{type(error).__name__}: {error}"[:500]
    row.next_attempt_at = now + FIRST_RETRY * 2**row.attempts
    if row.attempts >= MAX_ATTEMPTS:
        row.dispatched_at = now
    log.exception("event_subscriber_failed", event_id=row.pk, event_name=row.name, attempts=row.attempts)
    row.save(update_fields=["attempts", "error", "next_attempt_at", "dispatched_at"])
