"""Claiming work for a sender process: single messages that somebody waits for first, then campaigns and the rest."""

import random
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.types import Fence
from postroom.core.mail.models import Batch, Chunk, Message, SenderAccount, SenderDay
from postroom.core.mail.rules.tokens import message_id_header
from postroom.core.mail.services.refusals import find_address_refusals, find_refusals
from postroom.core.mail.types import (
    BatchStatus,
    ChunkClaim,
    Mailing,
    MessageClass,
    MessagesClaim,
    MessageStatus,
    Outgoing,
    Work,
)
from postroom.kit.types import JSONValue

MESSAGES_PER_CLAIM: Final = 200

_URGENT, _BULK = 0, 1

_READY: Final = """
SELECT s.id FROM mail_senderaccount s LEFT JOIN mail_senderday d ON d.sender_id = s.id AND d.day = %(day)s
WHERE s.is_active AND s.channel = 'email' AND (s.retry_at IS NULL OR s.retry_at <= %(now)s)
    AND (s.daily_limit IS NULL OR coalesce(d.used, 0) < s.daily_limit)
"""

# The sender comes first in the index, so that one account's backlog never slows the search for another's mail.
_DUE_SENDER: Final = """
SELECT s.id FROM unnest(%(senders)s::bigint[]) AS s(id)
WHERE EXISTS (SELECT FROM mail_message m WHERE m.sender_id = s.id AND m.priority = %(priority)s
    AND m.status IN ('queued', 'deferred') AND m.next_attempt_at <= %(now)s)
ORDER BY random() LIMIT 1
"""

_CLAIM_MESSAGES: Final = """
UPDATE mail_message SET status = 'claimed', owner = %(owner)s, attempt = attempt + 1
WHERE id IN (SELECT id FROM mail_message WHERE sender_id = %(sender_id)s AND priority = %(priority)s
    AND status IN ('queued', 'deferred') AND next_attempt_at <= %(now)s
    ORDER BY next_attempt_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING id, batch_id
"""

_SENDING_BATCH: Final = """
SELECT b.id FROM mail_batch b WHERE b.status = 'sending' AND b.sender_id = ANY(%(senders)s)
    AND EXISTS (SELECT FROM mail_chunk c WHERE c.batch_id = b.id AND c.status = 'queued' AND c.ready_at <= %(now)s)
ORDER BY b.id LIMIT 1 FOR SHARE SKIP LOCKED
"""

_CLAIM_CHUNK: Final = """
UPDATE mail_chunk SET status = 'claimed', owner = %(owner)s, attempt = attempt + 1, claimed_at = %(now)s
WHERE id = (SELECT id FROM mail_chunk WHERE batch_id = %(batch_id)s AND status = 'queued' AND ready_at <= %(now)s
    ORDER BY ready_at, number LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""


@transaction.atomic
def claim_work(*, owner: str, now: datetime, busy: Collection[int] = (), full: Collection[int] = ()) -> Work | None:
    """Take the next piece of work for ``owner``, or None when there is none for now.

    ``full`` names the sender accounts that take nothing more, ``busy`` those that take urgent mail only.
    """
    ready = _ready_senders(now)
    open_for_all = [sender for sender in ready if sender not in busy and sender not in full]
    urgent = _claim_messages(owner, now, [sender for sender in ready if sender not in full], _URGENT)
    if urgent or not open_for_all:
        return urgent
    # By chance, so that neither a long campaign nor a long line of single messages starves the other.
    if random.random() < 0.5:
        return _claim_chunk(owner, now, open_for_all) or _claim_messages(owner, now, open_for_all, _BULK)
    return _claim_messages(owner, now, open_for_all, _BULK) or _claim_chunk(owner, now, open_for_all)


def _ready_senders(now: datetime) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_READY, {"day": now.date(), "now": now})
        return [number for (number,) in cursor.fetchall()]


def _claim_chunk(owner: str, now: datetime, senders: Sequence[int]) -> Work | None:
    with connection.cursor() as cursor:
        cursor.execute(_SENDING_BATCH, {"senders": list(senders), "now": now})
        if (found := cursor.fetchone()) is None:
            return None
        cursor.execute(_CLAIM_CHUNK, {"owner": owner, "now": now, "batch_id": found[0]})
        if (claimed := cursor.fetchone()) is None:
            return None
    chunk = Chunk.objects.select_related("batch__workspace", "batch__sender").get(pk=claimed[0])
    people = _unsent_people(chunk)
    people = people[: _take_allowance(chunk.batch.sender, len(people), now)]
    return Work(
        claim=ChunkClaim(chunk_id=chunk.pk, owner=owner, attempt=chunk.attempt),
        sender_id=chunk.batch.sender_id,
        route_id=chunk.batch.sender_id,
        is_urgent=False,
        items=tuple(_batch_items(chunk.batch, chunk.content_id or chunk.batch.content_id, people)),
    )


def _unsent_people(chunk: Chunk) -> list[tuple[int, int, str]]:
    """Return (message, contact, address) of the recipients of a chunk that have no row in the ledger yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.id, r.contact_id, r.email FROM mail_recipient r WHERE r.batch_id = %s AND r.chunk_number = %s"
            " AND NOT EXISTS (SELECT FROM mail_message m WHERE m.id = r.id) ORDER BY r.id",
            [chunk.batch_id, chunk.number],
        )
        return list(cursor.fetchall())


def _batch_items(batch: Batch, content_id: int, people: Sequence[tuple[int, int, str]]) -> list[Outgoing]:
    fence = Fence(list_ids=tuple(batch.list_ids), category_id=batch.category_id)
    refusals = find_refusals(batch=batch, fence=fence, people=[(person, email) for _, person, email in people])
    profiles = contacts.load_profiles(contact_ids=[contact_id for _, contact_id, _ in people])
    domain = batch.sender.from_email.rpartition("@")[2]
    mailing = Mailing(batch_id=batch.pk, content_id=content_id, message_class=MessageClass(batch.message_class))
    return [
        Outgoing(
            message_id=message_id,
            mailing=mailing,
            to=(email,),
            slots=profiles.get(contact_id, {}),
            message_id_header=message_id_header(message_id, domain),
            refusal=refusal,
        )
        for (message_id, contact_id, email), refusal in zip(people, refusals, strict=True)
    ]


def _claim_messages(owner: str, now: datetime, senders: Sequence[int], priority: int) -> Work | None:
    if not senders:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_DUE_SENDER, {"senders": list(senders), "priority": priority, "now": now})
        if (found := cursor.fetchone()) is None:
            return None
    sender = SenderAccount.objects.get(pk=found[0])
    message_ids = _claim_rows(owner, now, sender, priority)
    if not message_ids:
        return None
    rows = list(Message.objects.filter(pk__in=message_ids).select_related("workspace").order_by("pk"))
    return Work(
        claim=MessagesClaim(owner=owner, attempts={row.pk: row.attempt for row in rows}),
        sender_id=sender.pk,
        route_id=sender.pk,
        is_urgent=priority == _URGENT,
        items=tuple(_single_items(rows)),
    )


def _claim_rows(owner: str, now: datetime, sender: SenderAccount, priority: int) -> list[int]:
    """Claim due rows of a sender account; return their numbers without those of a batch that is being stopped."""
    limit = _take_allowance(sender, MESSAGES_PER_CLAIM, now)
    where: dict[str, Any] = {"owner": owner, "now": now, "sender_id": sender.pk, "priority": priority, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_MESSAGES, where)
        claimed = dict(cursor.fetchall())
    stopped = _stopped_batches({batch_id for batch_id in claimed.values() if batch_id})
    held = [number for number, batch_id in claimed.items() if batch_id in stopped]
    # A second later its batch is at rest, one way or the other, and has taken them along.
    Message.objects.filter(pk__in=held).update(
        status=MessageStatus.QUEUED, owner="", next_attempt_at=now + timedelta(seconds=1)
    )
    kept = [number for number in claimed if number not in set(held)]
    return_allowance(sender_id=sender.pk, count=limit - len(kept), now=now)
    return kept


def _stopped_batches(batch_ids: set[int]) -> set[int]:
    """Return which of the batches are being changed at this moment, or must not send. Never waits for a lock."""
    if not batch_ids:
        return set()
    free = Batch.objects.select_for_update(skip_locked=True).filter(
        pk__in=batch_ids, status__in=(BatchStatus.SENDING, BatchStatus.DONE)
    )
    return batch_ids - set(free.values_list("pk", flat=True))


def _single_items(rows: Sequence[Message]) -> list[Outgoing]:
    refusals = _single_refusals(rows)
    person_ids = [row.contact_id for row in rows if row.contact_id is not None]
    profiles = contacts.load_profiles(contact_ids=person_ids) if person_ids else {}
    return [_single_item(row, refusals[row.pk], profiles.get(row.contact_id or 0, {})) for row in rows]


def _single_refusals(rows: Sequence[Message]) -> dict[int, dict[str, str]]:
    """Return for each message why each of its recipients must not get it, with two statements per kind of mail."""
    kinds: dict[tuple[int, str, Fence], list[Message]] = defaultdict(list)
    for row in rows:
        fence = Fence(list_ids=tuple(row.list_ids), category_id=row.category_id)
        kinds[row.workspace_id, row.message_class, fence].append(row)
    found: dict[int, dict[str, str]] = {}
    for (_, message_class, fence), part in kinds.items():
        addresses = sorted({address for row in part for address in (*row.to, *row.cc, *row.bcc)})
        refusals, _ = find_address_refusals(
            workspace=part[0].workspace, message_class=message_class, fence=fence, addresses=addresses
        )
        found.update((row.pk, {address: refusals[address] for address in (*row.to, *row.cc, *row.bcc)}) for row in part)
    return found


def _single_item(row: Message, refusals: dict[str, str], profile: Mapping[str, JSONValue]) -> Outgoing:
    """Return the message without its refused recipients; refused altogether when none of ``to`` is left."""
    to, cc, bcc = ([address for address in field if not refusals[address]] for field in (row.to, row.cc, row.bcc))
    mailing = Mailing(
        batch_id=row.batch_id,
        content_id=row.content_id,
        message_class=MessageClass(row.message_class),
        from_address=row.from_address,
        reply_to=tuple(row.reply_to),
        headers=row.headers,
    )
    return Outgoing(
        message_id=row.pk,
        mailing=mailing,
        to=tuple(to),
        cc=tuple(cc),
        bcc=tuple(bcc),
        slots={**profile, **row.slots},
        message_id_header=row.message_id_header,
        refusal="" if to else next((reason for reason in refusals.values() if reason), "no_recipient"),
    )


def _take_allowance(sender: SenderAccount, wanted: int, now: datetime) -> int:
    """Return how many of ``wanted`` messages the account may send today, and book them."""
    if sender.daily_limit is None:
        return wanted
    SenderDay.objects.bulk_create([SenderDay(sender=sender, day=now.date())], ignore_conflicts=True)
    day = SenderDay.objects.select_for_update().get(sender=sender, day=now.date())
    granted = max(0, min(wanted, sender.daily_limit - day.used))
    day.used += granted
    day.save(update_fields=["used"])
    return granted


def return_allowance(*, sender_id: int, count: int, now: datetime) -> None:
    """Give back what was booked of today's limit and not used. A crash gives nothing back: the limit is a bound."""
    if count <= 0:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE mail_senderday SET used = greatest(0, used - %s) WHERE sender_id = %s AND day = %s",
            [count, sender_id, now.date()],
        )
