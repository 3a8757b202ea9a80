"""Bulk hand-overs: opening, pausing, resuming and cancelling."""

from contextlib import suppress
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from postroom.core.contacts.types import Fence
from postroom.core.events import services as events
from postroom.core.events.types import NewEvent
from postroom.core.mail.errors import BatchState, NoSuchBatch
from postroom.core.mail.models import Batch, Chunk, Message
from postroom.core.mail.selectors.senders import get_sender
from postroom.core.mail.services.telling import tell_messages
from postroom.core.mail.types import (
    NOTIFY_QUEUE,
    BatchAddresses,
    BatchStatus,
    ChunkStatus,
    MessageClass,
    MessageStatus,
)
from postroom.core.workspaces.models import Workspace
from postroom.kit.notify import notify

_WAITING: Final = (MessageStatus.QUEUED, MessageStatus.DEFERRED)
_OWN_ADDRESSES: Final = BatchAddresses()

# What should have begun during the pause begins now, and the rest keeps its distance.
_PUT_OFF: Final = """
UPDATE mail_chunk SET ready_at = ready_at + (%(now)s - waiting.since) FROM (
    SELECT min(ready_at) AS since FROM mail_chunk WHERE batch_id = %(batch_id)s AND status = 'queued'
) AS waiting
WHERE batch_id = %(batch_id)s AND status = 'queued' AND waiting.since < %(now)s
"""


@transaction.atomic
def create_batch(
    *,
    workspace: Workspace,
    sender_id: int,
    content_id: int,
    message_class: MessageClass,
    fence: Fence,
    now: datetime,
    addresses: BatchAddresses = _OWN_ADDRESSES,
) -> Batch:
    """Open a bulk hand-over; it has no recipients until ``freeze_audience``. Raises NoSuchSender."""
    sender = get_sender(workspace=workspace, sender_id=sender_id)
    return Batch.objects.create(
        workspace=workspace,
        sender=sender,
        content_id=content_id,
        category_id=fence.category_id,
        list_ids=list(fence.list_ids),
        message_class=message_class,
        from_address=addresses.from_address,
        reply_to=list(addresses.reply_to),
        cc=list(addresses.cc),
        bcc=list(addresses.bcc),
        created_at=now,
    )


@transaction.atomic
def pause_batch(*, workspace: Workspace, batch_id: int, now: datetime, error: str = "") -> Batch:
    """Stop handing over; the batch is ``paused`` once every sender has put its chunk back, ``pausing`` until then."""
    batch = _lock(workspace, batch_id, allowed=(BatchStatus.SENDING,), act="paused")
    batch.status, batch.error = BatchStatus.PAUSING, error[:1000]
    batch.save(update_fields=["status", "error"])
    close_batch(batch=batch, now=now)
    notify(NOTIFY_QUEUE)
    return batch


@transaction.atomic
def pause_sender_batches(*, sender_id: int, error: str, now: datetime) -> int:
    """Pause all that a sender account is sending or carries, with the reason; return how many batches that were."""
    count = 0
    whose = Q(sender_id=sender_id) | Q(sender__carrier_id=sender_id)
    sending = Batch.objects.filter(whose, status=BatchStatus.SENDING).select_related("workspace")
    for batch in sending.order_by("pk"):  # everybody locks them in this order
        with suppress(BatchState):  # it ended or was stopped between our look and our lock
            pause_batch(workspace=batch.workspace, batch_id=batch.pk, now=now, error=error)
            count += 1
    return count


@transaction.atomic
def resume_batch(*, workspace: Workspace, batch_id: int, now: datetime, in_portions: bool = False) -> Batch:
    """Go on with a paused batch. Its messages that were refused for a time are tried again at once. One sent
    ``in_portions`` does not make up for those it missed: it goes on with them one after the other.
    """
    batch = _lock(workspace, batch_id, allowed=(BatchStatus.PAUSED, BatchStatus.PAUSING), act="resumed")
    batch.status, batch.error = BatchStatus.SENDING, ""
    batch.save(update_fields=["status", "error"])
    _lock_waiting(batch).filter(next_attempt_at=None).update(next_attempt_at=now)
    if in_portions:
        with connection.cursor() as cursor:
            cursor.execute(_PUT_OFF, {"batch_id": batch.pk, "now": now})
    close_batch(batch=batch, now=now)
    notify(NOTIFY_QUEUE)
    return batch


@transaction.atomic
def cancel_batch(*, workspace: Workspace, batch_id: int, now: datetime) -> Batch:
    """End a batch for good; what was handed over stays, the rest is never sent."""
    allowed = (BatchStatus.FREEZING, BatchStatus.SENDING, BatchStatus.PAUSING, BatchStatus.PAUSED)
    batch = _lock(workspace, batch_id, allowed=allowed, act="cancelled")
    batch.status = BatchStatus.CANCELLING
    batch.save(update_fields=["status"])
    close_batch(batch=batch, now=now)
    notify(NOTIFY_QUEUE)
    return batch


@transaction.atomic
def reopen_batch(*, workspace: Workspace, batch_id: int) -> Batch:
    """Open a batch again that has come to its end, to be frozen for those who never got it."""
    batch = _lock(workspace, batch_id, allowed=(BatchStatus.DONE, BatchStatus.CANCELLED), act="opened again")
    batch.status = BatchStatus.FREEZING
    batch.save(update_fields=["status"])
    return batch


@transaction.atomic
def shut_batch(*, workspace: Workspace, batch_id: int) -> Batch:
    """End a batch that was opened again for nothing: what it did before stands."""
    batch = _lock(workspace, batch_id, allowed=(BatchStatus.FREEZING,), act="ended")
    batch.status = BatchStatus.DONE
    batch.save(update_fields=["status"])
    return batch


def close_batch(*, batch: Batch, now: datetime) -> None:
    """Move a locked batch on when nothing of it is claimed any more, and tell so: done, paused or cancelled.

    Its waiting messages are held back or cancelled with it.
    """
    _hold_waiting(batch, now)
    status = _resting_status(batch)
    if status is None:
        return
    batch.status = status
    batch.finished_at = now if status != BatchStatus.PAUSED else None
    batch.save(update_fields=["status", "finished_at"])
    data = {"batch": str(batch.uid), "status": status.value}
    event = NewEvent(name="mail.batch_finished", object_type="batch", object_id=batch.pk, data=data)
    events.record_event(workspace=batch.workspace, event=event, now=now)


def _lock(workspace: Workspace, batch_id: int, *, allowed: tuple[BatchStatus, ...], act: str) -> Batch:
    """Return the batch, locked against every other change of its state."""
    rows = Batch.objects.select_for_update(of=("self",)).select_related("workspace")
    batch = rows.filter(workspace=workspace, pk=batch_id).first()
    if batch is None:
        raise NoSuchBatch(f"There is no batch {batch_id}.")
    if batch.status not in allowed:
        raise BatchState(f"A batch that is {batch.status} cannot be {act}.", status=batch.status)
    return batch


def _hold_waiting(batch: Batch, now: datetime) -> None:
    if batch.status in (BatchStatus.PAUSING, BatchStatus.PAUSED):
        _lock_waiting(batch).update(next_attempt_at=None)
    elif batch.status in (BatchStatus.CANCELLING, BatchStatus.CANCELLED):
        cancelled = list(_lock_waiting(batch).values_list("pk", flat=True))
        Message.objects.filter(pk__in=cancelled).update(status=MessageStatus.CANCELLED, next_attempt_at=None)
        tell_messages(workspace_ids={batch.workspace_id}, message_ids=cancelled, now=now)
        Chunk.objects.filter(batch=batch, status=ChunkStatus.QUEUED).update(status=ChunkStatus.CANCELLED)


def _lock_waiting(batch: Batch) -> QuerySet[Message]:
    """Return the batch's waiting messages, locked in the order of their keys like everybody locks them."""
    waiting = Message.objects.filter(batch=batch, status__in=_WAITING).order_by("pk")
    return Message.objects.filter(pk__in=list(waiting.select_for_update().values_list("pk", flat=True)))


def _resting_status(batch: Batch) -> BatchStatus | None:
    """Return the state a batch comes to rest in now, or None while it moves on or already rests."""
    if batch.status not in (BatchStatus.SENDING, BatchStatus.PAUSING, BatchStatus.CANCELLING):
        return None
    has_queued = Chunk.objects.filter(batch=batch, status=ChunkStatus.QUEUED).exists()
    if batch.status == BatchStatus.SENDING and has_queued:
        return None
    if Chunk.objects.filter(batch=batch, status=ChunkStatus.CLAIMED).exists():
        return None
    if batch.status == BatchStatus.SENDING:
        return BatchStatus.DONE
    return _stopped_status(batch, has_queued)


def _stopped_status(batch: Batch, has_queued: bool) -> BatchStatus | None:
    if Message.objects.filter(batch=batch, status=MessageStatus.CLAIMED).exists():
        return None
    if batch.status == BatchStatus.CANCELLING:
        return BatchStatus.CANCELLED
    return BatchStatus.PAUSED if has_queued or _has_waiting(batch) else BatchStatus.DONE


def _has_waiting(batch: Batch) -> bool:
    return Message.objects.filter(batch=batch, status__in=_WAITING).exists()
