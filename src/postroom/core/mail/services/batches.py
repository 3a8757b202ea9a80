"""Bulk hand-overs: freezing an audience into recipients and chunks; pausing, resuming and cancelling."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.types import Audience, Fence
from postroom.core.events import services as events
from postroom.core.events.types import NewEvent
from postroom.core.mail.errors import BatchState, NoSuchBatch
from postroom.core.mail.models import Batch, Chunk, Message
from postroom.core.mail.selectors.senders import get_sender
from postroom.core.mail.services.ledger import reserve_ids
from postroom.core.mail.services.refusals import find_refusals
from postroom.core.mail.types import (
    NOTIFY_QUEUE,
    BatchStatus,
    BatchTotals,
    ChunkStatus,
    MessageClass,
    MessageStatus,
)
from postroom.core.workspaces.models import Workspace
from postroom.kit.copy import copy_rows
from postroom.kit.notify import notify

_RECIPIENT_COLUMNS: Final = ("id", "batch_id", "chunk_number", "contact_id", "email", "fence")
_WAITING: Final = (MessageStatus.QUEUED, MessageStatus.DEFERRED)


@transaction.atomic
def create_batch(
    *,
    workspace: Workspace,
    sender_id: int,
    content_id: int,
    message_class: MessageClass,
    fence: Fence,
    now: datetime,
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
        created_at=now,
    )


@transaction.atomic
def freeze_audience(*, batch_id: int, audience: Audience, now: datetime) -> BatchTotals:
    """Write down who gets the batch and who is refused, and let the senders begin; one transaction.

    Raises BatchState when the batch was frozen before.
    """
    batch = Batch.objects.select_for_update(of=("self",)).select_related("workspace").get(pk=batch_id)
    if batch.status != BatchStatus.FREEZING:
        raise BatchState(f"The audience of batch {batch_id} is already frozen.")
    freezer = _Freezer(batch)
    for people in contacts.iter_audience(workspace=batch.workspace, audience=audience, now=now):
        copy_rows("mail_recipient", _RECIPIENT_COLUMNS, list(freezer.rows(people)))
    Chunk.objects.bulk_create(freezer.chunks(now), batch_size=1000)
    batch.total, batch.fenced = freezer.total, dict(freezer.fenced)
    batch.status = BatchStatus.SENDING
    batch.save(update_fields=["total", "fenced", "status"])
    close_batch(batch=batch, now=now)
    notify(NOTIFY_QUEUE)
    return BatchTotals(total=freezer.total, fenced=dict(freezer.fenced))


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
def resume_batch(*, workspace: Workspace, batch_id: int, now: datetime) -> Batch:
    """Go on with a paused batch. Its messages that were refused for a time are tried again at once."""
    batch = _lock(workspace, batch_id, allowed=(BatchStatus.PAUSED, BatchStatus.PAUSING), act="resumed")
    batch.status, batch.error = BatchStatus.SENDING, ""
    batch.save(update_fields=["status", "error"])
    _lock_waiting(batch).filter(next_attempt_at=None).update(next_attempt_at=now)
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


def close_batch(*, batch: Batch, now: datetime) -> None:
    """Move a locked batch on when nothing of it is claimed any more, and tell so: done, paused or cancelled.

    Its waiting messages are held back or cancelled with it.
    """
    _hold_waiting(batch)
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


def _hold_waiting(batch: Batch) -> None:
    if batch.status in (BatchStatus.PAUSING, BatchStatus.PAUSED):
        _lock_waiting(batch).update(next_attempt_at=None)
    elif batch.status in (BatchStatus.CANCELLING, BatchStatus.CANCELLED):
        _lock_waiting(batch).update(status=MessageStatus.CANCELLED, next_attempt_at=None)
        Chunk.objects.filter(batch=batch, status=ChunkStatus.QUEUED).update(status=ChunkStatus.CANCELLED)


def _lock_waiting(batch: Batch) -> QuerySet[Message]:
    """Return the batch's waiting messages, locked in the order of their keys like everybody locks them."""
    waiting = Message.objects.filter(batch=batch, status__in=_WAITING).order_by("pk")
    return Message.objects.filter(pk__in=list(waiting.select_for_update().values_list("pk", flat=True)))


def _resting_status(batch: Batch) -> BatchStatus | None:
    """Return the state a batch comes to rest in now, or None while it moves on or already rests."""
    if batch.status not in (BatchStatus.SENDING, BatchStatus.PAUSING, BatchStatus.CANCELLING):
        return None
    open_chunks = set(
        Chunk.objects.filter(batch=batch, status__in=(ChunkStatus.QUEUED, ChunkStatus.CLAIMED))
        .values_list("status", flat=True)
        .distinct()
    )
    if ChunkStatus.CLAIMED in open_chunks:
        return None
    if batch.status == BatchStatus.SENDING:
        return None if open_chunks else BatchStatus.DONE
    if Message.objects.filter(batch=batch, status=MessageStatus.CLAIMED).exists():
        return None
    if batch.status == BatchStatus.CANCELLING:
        return BatchStatus.CANCELLED
    return BatchStatus.PAUSED if open_chunks or _has_waiting(batch) else BatchStatus.DONE


def _has_waiting(batch: Batch) -> bool:
    return Message.objects.filter(batch=batch, status__in=_WAITING).exists()


class _Freezer:
    """Turns an audience into recipient rows, counting as it goes."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._fence = Fence(list_ids=tuple(batch.list_ids), category_id=batch.category_id)
        self.total = 0
        self.fenced: Counter[str] = Counter()

    def rows(self, people: list[tuple[int, str]]) -> Iterator[tuple[object, ...]]:
        """Yield a recipient row for each person, accepted or refused."""
        reasons = find_refusals(batch=self._batch, fence=self._fence, people=people)
        for message_id, (contact_id, email), reason in zip(reserve_ids(len(people)), people, reasons, strict=True):
            if reason:
                self.fenced[reason] += 1
                number = None
            else:
                number = self.total // settings.SENDER_CHUNK_SIZE
                self.total += 1
            yield message_id, self._batch.pk, number, contact_id, email, reason

    def chunks(self, now: datetime) -> Iterator[Chunk]:
        """Yield the chunks that the accepted recipients fill."""
        size = settings.SENDER_CHUNK_SIZE
        for number, start in enumerate(range(0, self.total, size)):
            yield Chunk(batch=self._batch, number=number, size=min(size, self.total - start), ready_at=now)
