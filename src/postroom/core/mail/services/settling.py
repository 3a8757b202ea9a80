"""Booking what a sender did: results go to the ledger under the claim's fence, what was not sent goes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import connection, transaction

from postroom.core.contacts import services as contacts
from postroom.core.contacts.errors import BadAddress
from postroom.core.contacts.types import SuppressionReason, SuppressionScope
from postroom.core.mail.models import Batch, Chunk, Message, Recipient, SenderAccount
from postroom.core.mail.ports import Handover, JournalReading, Outcome, Result
from postroom.core.mail.rules.settling import (
    URGENT_CLASSES,
    History,
    find_bad_addresses,
    judge_handover,
    says_bad_sender,
)
from postroom.core.mail.rules.tokens import message_id_header
from postroom.core.mail.services import ledger
from postroom.core.mail.services.batches import close_batch
from postroom.core.mail.services.ledger import Settled
from postroom.core.mail.types import (
    NOTIFY_QUEUE,
    BatchStatus,
    ChunkClaim,
    ChunkStatus,
    MessageClass,
    MessagesClaim,
    MessageStatus,
)
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit.notify import notify

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Person:
    contact_id: int | None
    batch_id: int | None
    addresses: tuple[str, ...]


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
    settled = _judge_chunk(batch, handovers, now)
    ledger.append_rows(
        batch_id=batch.pk, chunk_number=chunk.number, priority=_priority(batch.message_class), settled=settled
    )
    _note_refusals(batch.workspace, batch.sender, settled, _recipients(settled), now)
    _end_chunk(chunk, now)
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
    for workspace, sender, part in _by_sender(rows, settled):
        _note_refusals(workspace, sender, part, {row.pk: _person(row) for row in rows.values()}, now)
    _close_batches({row.batch_id for row in rows.values() if row.batch_id}, now)
    return True


def recover_claims(*, owner: str, journal: JournalReading, now: datetime) -> int:
    """Settle everything a dead owner held, by its journal; return how many claims that were. Safe to run twice.

    A message whose body left without a noted answer is in doubt; one that the journal does not name never left the
    house and goes back, unless the journal may have lost its end.
    """
    claims = Chunk.objects.filter(owner=owner, status=ChunkStatus.CLAIMED).select_related("batch")
    chunks = [chunk for chunk in claims if _recover_chunk(chunk, journal, now)]
    held = Message.objects.filter(owner=owner, status=MessageStatus.CLAIMED).values_list("pk", "attempt")
    attempts = dict(held)
    if not attempts:
        return len(chunks)
    claim = MessagesClaim(owner=owner, attempts=attempts)
    finish_messages(claim=claim, handovers=_replay(attempts, journal, now), now=now)
    return len(chunks) + 1


def abandon_claims(*, owner: str, now: datetime) -> int:
    """Give up a sender whose machine will not come back, on an operator's word; return how many claims it held.

    Its journal is lost, so everything it held may have left: it is in doubt, and what must arrive is repeated once.
    """
    return recover_claims(owner=owner, journal=JournalReading(entries={}, is_complete=False), now=now)


def _recover_chunk(chunk: Chunk, journal: JournalReading, now: datetime) -> bool:
    recipients = Recipient.objects.filter(batch_id=chunk.batch_id, chunk_number=chunk.number)
    message_ids = dict.fromkeys(recipients.values_list("pk", flat=True))
    booked = set(Message.objects.filter(pk__in=message_ids).values_list("pk", flat=True))
    claim = ChunkClaim(chunk_id=chunk.pk, owner=chunk.owner, attempt=chunk.attempt)
    handovers = _replay([number for number in message_ids if number not in booked], journal, now)
    return finish_chunk(claim=claim, handovers=handovers, now=now)


def _replay(message_ids: Sequence[int] | Mapping[int, int], journal: JournalReading, now: datetime) -> list[Handover]:
    """Return how the hand-over of each message ended; those that never began are left out."""
    doubt = Result(Outcome.IN_DOUBT, text="The sender died after the message left and before an answer was noted.")
    found = []
    for number in message_ids:
        if (handover := journal.entries.get(number)) is not None:
            found.append(handover)
        elif number in journal.entries or not journal.is_complete:
            found.append(Handover(message_id=number, at=now.timestamp(), result=doubt))
    return found


def _judge_chunk(batch: Batch, handovers: Sequence[Handover], now: datetime) -> list[Settled]:
    history = History(message_class=MessageClass(batch.message_class))
    domain = batch.sender.from_email.rpartition("@")[2]
    return [
        Settled(one, judge_handover(one, history, now), header=message_id_header(one.message_id, domain))
        for one in handovers
    ]


def _judge_message(row: Message, handover: Handover, now: datetime) -> Settled:
    history = History(
        message_class=MessageClass(row.message_class),
        tries=row.tries,
        is_resent=row.is_resent,
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


def _end_chunk(chunk: Chunk, now: datetime) -> None:
    """Put the chunk where it belongs now, and the batch if that was its last claim."""
    batch = Batch.objects.select_for_update(of=("self",)).select_related("workspace").get(pk=chunk.batch_id)
    if not _has_unsent(chunk):
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


def _close_batches(batch_ids: set[int], now: datetime) -> None:
    for batch_id in sorted(batch_ids):
        batch = Batch.objects.select_for_update(of=("self",)).select_related("workspace").get(pk=batch_id)
        close_batch(batch=batch, now=now)


def _by_sender(
    rows: Mapping[int, Message], settled: Sequence[Settled]
) -> list[tuple[Workspace, SenderAccount, list[Settled]]]:
    parts: dict[int, tuple[Workspace, SenderAccount, list[Settled]]] = {}
    for one in settled:
        row = rows[one.handover.message_id]
        parts.setdefault(row.sender_id, (row.workspace, row.sender, []))[2].append(one)
    return list(parts.values())


def _note_refusals(
    workspace: Workspace,
    sender: SenderAccount,
    settled: Sequence[Settled],
    people: Mapping[int, _Person],
    now: datetime,
) -> None:
    """Append the events of what did not simply go through, suppress bad addresses, tell a sender that is refused."""
    told = [one for one in settled if _is_told(one)]
    if not told:
        return
    whose = {number: (person.contact_id, person.batch_id) for number, person in people.items()}
    ledger.append_events(workspace_id=workspace.pk, settled=told, contacts=whose, now=now)
    for one in told:
        result = one.handover.result
        if result is None:
            continue
        for address in find_bad_addresses(result, people[one.handover.message_id].addresses):
            _suppress(workspace, address, result, now)
        if says_bad_sender(result):
            sender.last_error = ledger.clean(f"{result.code} {result.text}")
            sender.save(update_fields=["last_error"])


def _is_told(one: Settled) -> bool:
    """Whether there is more to say of a hand-over than its row says."""
    result = one.handover.result
    return one.judgement.event is not None or (result is not None and bool(result.recipient_replies))


def _suppress(workspace: Workspace, email: str, result: Result, now: datetime) -> None:
    try:
        contacts.suppress_address(
            workspace=workspace,
            email=email,
            scope=SuppressionScope.ORGANIZATION,
            reason=SuppressionReason.HARD_BOUNCE,
            detail=ledger.clean(f"{result.code} {result.enhanced} {result.text}"),
            actor=SYSTEM,
            now=now,
        )
    except BadAddress:
        log.warning("refused_address_not_readable")  # what is no address cannot be mailed again either


def _recipients(settled: Sequence[Settled]) -> dict[int, _Person]:
    told = [one.handover.message_id for one in settled if _is_told(one)]
    rows = Recipient.objects.filter(pk__in=told) if told else ()
    return {row.pk: _Person(row.contact_id, row.batch_id, (row.email,)) for row in rows}


def _person(row: Message) -> _Person:
    return _Person(row.contact_id, row.batch_id, (*row.to, *row.cc, *row.bcc))


def _priority(message_class: str) -> int:
    return 0 if message_class in URGENT_CLASSES else 1
