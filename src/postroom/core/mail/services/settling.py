"""Booking what a sender did: results go to the ledger under the claim's fence, what was not sent goes back."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import connection, transaction

from postroom.core.mail.models import Batch, Chunk, Message, Recipient, SenderAccount
from postroom.core.mail.ports import Handover, JournalReading, Outcome, Result
from postroom.core.mail.rules.providers import key_lifetime_s
from postroom.core.mail.rules.settling import (
    URGENT_CLASSES,
    History,
    judge_handover,
)
from postroom.core.mail.services import ledger
from postroom.core.mail.services.batches import close_batch
from postroom.core.mail.services.ledger import Place, Settled
from postroom.core.mail.services.outcomes import note_chunk_outcomes, note_message_outcomes
from postroom.core.mail.services.owners import forget_sender
from postroom.core.mail.services.telling import tell_messages
from postroom.core.mail.services.transcripts import keep_transcripts
from postroom.core.mail.types import (
    NOTIFY_QUEUE,
    BatchStatus,
    ChunkClaim,
    ChunkStatus,
    MessageClass,
    MessagesClaim,
    MessageStatus,
    RefusalKind,
    Work,
)
from postroom.kit.notify import notify


@transaction.atomic
def finish_chunk(*, claim: ChunkClaim, handovers: Sequence[Handover], now: datetime) -> bool:
    """Append the rows of what was handed over and end the claim: the chunk is done, or goes back with the rest.

    Returns False, and changes nothing, when the chunk is another owner's by now.
    """
    chunk = (
        Chunk.objects.select_for_update(of=("self",))
        .select_related("batch__workspace", "batch__sender")
        .filter(pk=claim.chunk_id, owner=claim.owner, attempt=claim.attempt, status=ChunkStatus.CLAIMED)
        .first()
    )
    if chunk is None:
        return False
    batch = chunk.batch
    went_well, others = _part(handovers)
    settled = _judge_chunk(batch, others, now)
    place = _place(chunk)
    ledger.append_sent(place=place, handovers=went_well)
    ledger.append_rows(place=place, settled=settled)
    note_chunk_outcomes(chunk=chunk, settled=settled, sent=len(went_well), now=now)
    _tell({batch.workspace_id}, handovers, settled, now)
    keep_transcripts(
        workspace_id=batch.workspace_id, handovers=handovers, now=now, batch_id=batch.pk, chunk_number=chunk.number
    )
    _end_chunk(chunk, len(handovers), now)
    return True


@transaction.atomic
def finish_messages(*, claim: MessagesClaim, handovers: Sequence[Handover], now: datetime) -> bool:
    """Book the results of single messages; the claimed ones without a result are queued again.

    Returns False when not one of them is the owner's any more.
    """
    rows = {row.pk: row for row in _claimed_messages(claim)}
    if not rows:
        return False
    settled = [_judge_message(rows[one.message_id], one, now) for one in handovers if one.message_id in rows]
    ledger.move_rows(owner=claim.owner, settled=settled)
    _put_back(rows, settled, now)
    note_message_outcomes(rows=rows, settled=settled, now=now)
    _tell({row.workspace_id for row in rows.values()}, [one.handover for one in settled], settled, now)
    for workspace_id, part in _by_workspace(rows, settled):
        keep_transcripts(workspace_id=workspace_id, handovers=part, now=now)
    _close_batches({row.batch_id for row in rows.values() if row.batch_id}, now)
    return True


def recover_claims(*, owner: str, journal: JournalReading, now: datetime) -> int:
    """Settle everything a dead owner held, by its journal; return how many claims that were. Safe to run twice.

    A message whose body left without a noted answer is in doubt; one that the journal does not name never left the
    house and goes back, unless the journal may have lost its end.
    """
    claims = Chunk.objects.filter(owner=owner, status=ChunkStatus.CLAIMED).select_related(
        "batch__sender__fallback", "batch__sender__carrier__fallback"
    )
    chunks = [chunk for chunk in claims if _recover_chunk(chunk, journal, now)]
    rows = Message.objects.filter(owner=owner, status=MessageStatus.CLAIMED).select_related(
        "sender__fallback", "sender__carrier__fallback"
    )
    # When a single message was claimed is not written down, but not before it was due.
    held = {row.pk: _safe_until(row.sender, row.next_attempt_at) for row in rows}
    if held:
        claim = MessagesClaim(owner=owner, attempts={row.pk: row.attempt for row in rows})
        finish_messages(claim=claim, handovers=_replay(held, journal, now), now=now)
    # Of one that was given up meanwhile, the journal knows better.
    answered = [one for one in journal.entries.values() if one is not None and one.result is not None]
    ledger.prove_sent(handovers=[one for one in answered if one.result and one.result.outcome is Outcome.SENT])
    return len(chunks) + bool(held)


def abandon_claims(*, owner: str, now: datetime) -> int:
    """Give up a sender whose machine will not come back, on an operator's word; return how many claims it held.

    Its journal is lost, so everything it held may have left: it is in doubt, and what must arrive is repeated once.
    """
    count = recover_claims(owner=owner, journal=JournalReading(entries={}, is_complete=False), now=now)
    forget_sender(owner=owner, now=now)
    return count


def put_back_unknown(*, owner: str, known: Collection[Work], now: datetime) -> int:
    """Put back what a living sender holds without knowing, for it never heard the answer; return how many claims.

    ``known`` is what it does know of. Nothing of the rest can have left.
    """
    chunk_ids = [work.claim.chunk_id for work in known if isinstance(work.claim, ChunkClaim)]
    message_ids = {number for work in known if isinstance(work.claim, MessagesClaim) for number in work.claim.attempts}
    chunks = Chunk.objects.filter(owner=owner, status=ChunkStatus.CLAIMED).exclude(pk__in=chunk_ids)
    claims = [ChunkClaim(chunk_id=pk, owner=owner, attempt=at) for pk, at in chunks.values_list("pk", "attempt")]
    count = sum(finish_chunk(claim=claim, handovers=(), now=now) for claim in claims)
    rows = Message.objects.filter(owner=owner, status=MessageStatus.CLAIMED).values_list("pk", "attempt")
    attempts = {pk: attempt for pk, attempt in rows if pk not in message_ids}
    if not attempts:
        return count
    return count + finish_messages(claim=MessagesClaim(owner=owner, attempts=attempts), handovers=(), now=now)


def _recover_chunk(chunk: Chunk, journal: JournalReading, now: datetime) -> bool:
    recipients = Recipient.objects.filter(batch_id=chunk.batch_id, chunk_number=chunk.number)
    message_ids = dict.fromkeys(recipients.values_list("pk", flat=True))
    booked = set(Message.objects.filter(pk__in=message_ids).values_list("pk", flat=True))
    claim = ChunkClaim(chunk_id=chunk.pk, owner=chunk.owner, attempt=chunk.attempt)
    safe_until = _safe_until(chunk.batch.sender, chunk.claimed_at)
    handovers = _replay({number: safe_until for number in message_ids if number not in booked}, journal, now)
    return finish_chunk(claim=claim, handovers=handovers, now=now)


def _safe_until(sender: SenderAccount, claimed_at: datetime | None) -> float:
    """Return until when the provider of an account knows a message claimed then by its key (Unix seconds, or 0).

    Which of two servers carried it is not written down, so the shorter memory counts.
    """
    home = sender.carrier or sender
    carriers = [home] if home.fallback is None else [home, home.fallback]
    lifetime_s = min(key_lifetime_s(one.provider, one.config) for one in carriers)
    return claimed_at.timestamp() + lifetime_s if claimed_at is not None and lifetime_s else 0.0


def _replay(held: Mapping[int, float], journal: JournalReading, now: datetime) -> list[Handover]:
    """Return how the hand-over of each message ended; those that never began are left out. ``held`` says until when
    doubt about each does no harm.
    """
    doubt = Result(Outcome.IN_DOUBT, text="The sender died after the message left and before an answer was noted.")
    found = []
    for number, safe_until in held.items():
        if (handover := journal.entries.get(number)) is not None:
            found.append(handover)
        elif number in journal.entries or not journal.is_complete:
            found.append(Handover(number, now.timestamp(), doubt._replace(safe_until=safe_until)))
    return found


def _part(handovers: Sequence[Handover]) -> tuple[list[Handover], list[Handover]]:
    """Return what there is no more to say of than that it was sent, and all other hand-overs."""
    went_well: list[Handover] = []
    others: list[Handover] = []
    for one in handovers:
        result = one.result
        is_plain = result is not None and result.outcome is Outcome.SENT and not result.recipient_replies
        (went_well if is_plain else others).append(one)
    return went_well, others


def _judge_chunk(batch: Batch, handovers: Sequence[Handover], now: datetime) -> list[Settled]:
    history = History(message_class=MessageClass(batch.message_class))
    return [Settled(one, judge_handover(one, history, now)) for one in handovers]


def _tell(workspace_ids: set[int], handovers: Sequence[Handover], settled: Sequence[Settled], now: datetime) -> None:
    """Have webhooks told how hand-overs ended; what blames our own set-up was refused before it was on its way."""
    rejected = [one.handover.message_id for one in settled if one.judgement.kind is RefusalKind.CONFIGURATION]
    numbers = [one.message_id for one in handovers]
    tell_messages(workspace_ids=workspace_ids, message_ids=numbers, rejected=rejected, now=now)


def _place(chunk: Chunk) -> Place:
    return Place(
        batch_id=chunk.batch_id,
        chunk_number=chunk.number,
        priority=0 if chunk.batch.message_class in URGENT_CLASSES else 1,
        domain=chunk.batch.sender.from_email.rpartition("@")[2],
    )


def _judge_message(row: Message, handover: Handover, now: datetime) -> Settled:
    history = History(
        message_class=MessageClass(row.message_class),
        tries=row.tries,
        is_resent=row.is_resent,
        first_attempt_at=row.first_attempt_at,
        safe_until=row.safe_until.timestamp() if row.safe_until else 0.0,
    )
    return Settled(handover, judge_handover(handover, history, now), attempt=row.attempt)


def _claimed_messages(claim: MessagesClaim) -> list[Message]:
    rows = Message.objects.select_for_update(of=("self",)).select_related("workspace", "sender")
    held = rows.filter(pk__in=claim.attempts, owner=claim.owner, status=MessageStatus.CLAIMED).order_by("pk")
    return [row for row in held if claim.attempts[row.pk] == row.attempt]


def _put_back(rows: Mapping[int, Message], settled: Sequence[Settled], now: datetime) -> None:
    """Queue the messages again that were claimed and not handed over."""
    unsent = rows.keys() - {one.handover.message_id for one in settled}
    Message.objects.filter(pk__in=unsent).update(status=MessageStatus.QUEUED, owner="", next_attempt_at=now)


def _end_chunk(chunk: Chunk, booked: int, now: datetime) -> None:
    """Put the chunk where it belongs now, and the batch if that was its last claim. ``booked``: how many just were."""
    batch = _lock_batch(chunk.batch_id)
    is_whole = chunk.attempt == 1 and booked == chunk.size
    if is_whole or not _has_unsent(chunk):
        chunk.status = ChunkStatus.DONE
    elif batch.status in (BatchStatus.CANCELLING, BatchStatus.CANCELLED):
        chunk.status = ChunkStatus.CANCELLED
    else:
        chunk.status = ChunkStatus.QUEUED
        notify(NOTIFY_QUEUE)
    chunk.owner, chunk.claimed_at = "", None
    chunk.save(update_fields=["status", "owner", "claimed_at"])
    close_batch(batch=batch, now=now)


def _has_unsent(chunk: Chunk) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM mail_recipient r WHERE r.batch_id = %s AND r.chunk_number = %s"
            " AND NOT EXISTS (SELECT FROM mail_message m WHERE m.id = r.id))",
            [chunk.batch_id, chunk.number],
        )
        (found,) = cursor.fetchone()
    return bool(found)


def _lock_batch(batch_id: int) -> Batch:
    """Return a batch, locked against others who book or stop, but not against claims."""
    rows = Batch.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("workspace").get(pk=batch_id)


def _close_batches(batch_ids: set[int], now: datetime) -> None:
    for batch_id in sorted(batch_ids):
        close_batch(batch=_lock_batch(batch_id), now=now)


def _by_workspace(rows: Mapping[int, Message], settled: Sequence[Settled]) -> list[tuple[int, list[Handover]]]:
    parts: dict[int, list[Handover]] = {}
    for one in settled:
        parts.setdefault(rows[one.handover.message_id].workspace_id, []).append(one.handover)
    return list(parts.items())
