"""Freezing: an audience is written down once, parted into chunks that have everything in common; and the release of
those that were held.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, Sum

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.types import Audience, Fence
from postroom.core.mail.errors import BatchState
from postroom.core.mail.models import Batch, Chunk, Recipient
from postroom.core.mail.rules.destinations import destination_of
from postroom.core.mail.rules.placing import draw_content, when_in
from postroom.core.mail.selectors.limits import goes_by_recipients, known_destinations
from postroom.core.mail.selectors.unmoved import iter_unmoved
from postroom.core.mail.services.batches import close_batch
from postroom.core.mail.services.ledger import reserve_ids
from postroom.core.mail.services.refusals import find_refusals
from postroom.core.mail.types import NOTIFY_QUEUE, BatchStatus, BatchTotals, ChunkStatus, FreezePlan, Unmoved
from postroom.kit.copy import copy_cell, copy_lines
from postroom.kit.notify import notify

_RECIPIENT_COLUMNS: Final = ("id", "batch_id", "chunk_number", "contact_id", "email", "fence")
_ALL: Final = FreezePlan()

_FORGET: Final = """
DELETE FROM mail_recipient r WHERE r.batch_id = %(batch_id)s AND NOT EXISTS (
    SELECT FROM mail_message m WHERE m.id = r.id)
"""
_SHRINK: Final = """
UPDATE mail_chunk c SET size = (
    SELECT count(*) FROM mail_recipient r WHERE r.batch_id = c.batch_id AND r.chunk_number = c.number)
WHERE c.batch_id = %(batch_id)s AND c.status = 'cancelled'
"""

People = Iterator[list[tuple[int, str, str]]]


@dataclass(slots=True)
class _Part:
    """A chunk that is being filled."""

    number: int
    destination: str
    content_id: int | None
    ready_at: datetime | None
    zone: str
    size: int = 0


@transaction.atomic
def freeze_audience(
    *, batch_id: int, audience: Audience | Unmoved, now: datetime, plan: FreezePlan = _ALL
) -> BatchTotals:
    """Write down who gets the batch, what and when, and who is refused, and let the senders begin; one transaction.

    A batch that was opened again goes to those who never got it; who was refused, or was still to come when it was
    cancelled, is looked at again. Raises BatchState when the batch was frozen before.
    """
    batch = Batch.objects.select_for_update(of=("self",)).select_related("workspace", "sender").get(pk=batch_id)
    if batch.status != BatchStatus.FREEZING:
        raise BatchState(f"The audience of batch {batch_id} is already frozen.")
    people = _people(batch, audience, now)
    last = Chunk.objects.filter(batch=batch).aggregate(last=Max("number"))["last"]
    if last is not None:
        batch.total = _forget_unreached(batch)
        people = (_strangers(batch, some) for some in people)
    first = 0 if last is None else last + 1
    return _write_down(batch, _Freezer(batch, _parting(batch, plan, now, first=first)), people, now)


def _write_down(batch: Batch, freezer: "_Freezer", audience: People, now: datetime) -> BatchTotals:
    for people in audience:
        copy_lines("mail_recipient", _RECIPIENT_COLUMNS, freezer.lines(people))
    parts = freezer.parting.parts
    Chunk.objects.bulk_create((_chunk(batch, part) for part in parts), batch_size=1000)
    batch.total, batch.fenced = batch.total + sum(part.size for part in parts), dict(freezer.fenced)
    batch.status, batch.error, batch.finished_at = BatchStatus.SENDING, "", None
    batch.save(update_fields=["total", "fenced", "status", "error", "finished_at"])
    close_batch(batch=batch, now=now)
    notify(NOTIFY_QUEUE)
    return BatchTotals(total=batch.total, fenced=dict(freezer.fenced))


def _forget_unreached(batch: Batch) -> int:
    """Strike out the recipients of a batch that never had a message; return how many are left."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"batch_id": batch.pk})
        cursor.execute(_SHRINK, {"batch_id": batch.pk})
    return Recipient.objects.filter(batch=batch).count()


def _strangers(batch: Batch, people: list[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """Return those who are not among the recipients of a batch."""
    rows = Recipient.objects.filter(batch=batch, contact_id__in=[contact_id for contact_id, _, _ in people])
    known = set(rows.values_list("contact_id", flat=True))
    return [one for one in people if one[0] not in known]


@transaction.atomic
def release_held(*, batch_id: int, content_id: int, now: datetime) -> int:
    """Let those whom a split held have ``content_id``, beginning now; return how many people that are.

    Run again, or once the batch was cancelled, it finds nobody. A paused batch stays paused.
    """
    batch = Batch.objects.select_for_update(of=("self",)).get(pk=batch_id)
    held = Chunk.objects.filter(batch=batch, status=ChunkStatus.QUEUED, ready_at=None)
    sizes = dict(held.order_by().values_list("destination").annotate(size=Sum("size")))
    held.update(content_id=content_id, ready_at=now)
    notify(NOTIFY_QUEUE)
    return sum(sizes.values())


def _parting(batch: Batch, plan: FreezePlan, now: datetime, *, first: int = 0) -> "_Parting":
    return _Parting(
        plan,
        now,
        first=first,
        limit=settings.SENDER_CHUNK_SIZE,
        known=known_destinations(workspace_id=batch.workspace_id),
        tells_zones=goes_by_recipients(sender=batch.sender),
    )


def _people(batch: Batch, audience: Audience | Unmoved, now: datetime) -> People:
    if isinstance(audience, Unmoved):
        return iter_unmoved(unmoved=audience)
    return contacts.iter_audience(workspace=batch.workspace, audience=audience, now=now)


def _chunk(batch: Batch, part: _Part) -> Chunk:
    return Chunk(
        batch=batch,
        number=part.number,
        size=part.size,
        destination=part.destination,
        content_id=part.content_id,
        ready_at=part.ready_at,
        zone=part.zone,
    )


class _Parting:
    """Puts people into chunks, each of one destination, one content and one time to begin, and of one zone where a
    window goes by it.
    """

    def __init__(
        self, plan: FreezePlan, now: datetime, *, first: int, limit: int, known: Mapping[str, str], tells_zones: bool
    ) -> None:
        self._plan, self._now, self._first, self._limit = plan, now, first, limit
        self._placed = 0
        self._known, self._tells_zones = known, tells_zones
        self._destinations: dict[str, str] = {}
        self._times: dict[str, datetime] = {}
        self._open: dict[tuple[str, int | None, datetime | None, str], _Part] = {}
        self.parts: list[_Part] = []

    def place(self, contact_id: int, email: str, zone: str) -> int:
        """Return the number of the chunk that a person belongs to."""
        split = self._plan.split
        content_id = draw_content(split, contact_id) if split else None
        ready_at = None if split and content_id is None else self._time_in(zone) + self._wait()
        key = (self._destination(email), content_id, ready_at, zone if self._tells_zones else "")
        part = self._open.get(key)
        if part is None or part.size == self._limit:
            part = self._open[key] = _Part(self._first + len(self.parts), *key)
            self.parts.append(part)
        part.size += 1
        return part.number

    def _wait(self) -> timedelta:
        """Return how long the next person waits behind those before them."""
        portions = self._plan.portions
        if portions is None:
            return timedelta()
        self._placed += 1
        return timedelta(minutes=(self._placed - 1) // portions.size * portions.minutes)

    def _destination(self, email: str) -> str:
        domain = email.rpartition("@")[2]
        found = self._destinations.get(domain)
        if found is None:
            found = self._destinations[domain] = destination_of(email, self._known)
        return found

    def _time_in(self, zone: str) -> datetime:
        """Return when people of a zone get it: at once, where the time wanted has passed there."""
        if self._plan.local_time is None:
            return self._now
        found = self._times.get(zone)
        if found is None:
            found = self._times[zone] = max(when_in(self._plan.local_time, zone), self._now)
        return found


class _Freezer:
    """Turns an audience into recipient rows, counting the refused as it goes."""

    def __init__(self, batch: Batch, parting: _Parting) -> None:
        self._batch = batch
        self._fence = Fence(list_ids=tuple(batch.list_ids), category_id=batch.category_id)
        self.parting = parting
        self.fenced: Counter[str] = Counter()

    def lines(self, people: list[tuple[int, str, str]]) -> list[str]:
        """Return a recipient's row for each person, accepted or refused, as COPY takes it."""
        batch_id = self._batch.pk
        known = [(contact_id, email) for contact_id, email, _ in people]
        reasons = find_refusals(batch=self._batch, fence=self._fence, people=known)
        lines = []
        for number, (contact_id, email, zone), reason in zip(reserve_ids(len(people)), people, reasons, strict=True):
            if reason:
                self.fenced[reason] += 1
                chunk: int | str = "\\N"
            else:
                chunk = self.parting.place(contact_id, email, zone)
            lines.append(f"{number}\t{batch_id}\t{chunk}\t{contact_id}\t{copy_cell(email)}\t{reason}\n")
        return lines
