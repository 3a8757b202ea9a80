"""What follows from how hand-overs ended, beyond the ledger's rows: events, suppressions, flags, rests."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import F

from postroom.core.contacts.types import SuppressionReason
from postroom.core.events import services as events
from postroom.core.events.types import NewEvent
from postroom.core.mail.models import Chunk, Message, Recipient, SenderAccount
from postroom.core.mail.ports import Outcome
from postroom.core.mail.rules.refusals import explain, is_about_us
from postroom.core.mail.rules.settling import find_bad_addresses
from postroom.core.mail.services import ledger
from postroom.core.mail.services.batches import pause_sender_batches
from postroom.core.mail.services.ledger import Settled
from postroom.core.mail.services.rests import note_deferrals
from postroom.core.mail.services.suppressing import suppress
from postroom.core.mail.types import Destination, RefusalKind
from postroom.core.workspaces.models import Workspace
from postroom.kit.types import JSONValue

PAUSED_AFTER: Final = 10
"""So many refusals in a row that blame our own set-up pause an account's campaigns."""


@dataclass(frozen=True, slots=True)
class _Person:
    contact_id: int | None
    batch_id: int | None
    addresses: tuple[str, ...]


def note_chunk_outcomes(*, chunk: Chunk, settled: Sequence[Settled], sent: int, now: datetime) -> None:
    """Do what follows from the hand-overs of a chunk, in the booking's transaction, before its batch is locked.

    ``sent`` counts those that simply went well and are not among ``settled``.
    """
    batch, told = chunk.batch, [one for one in settled if _is_told(one)]
    if told:
        rows = Recipient.objects.filter(pk__in=[one.handover.message_id for one in told])
        people = {row.pk: _Person(row.contact_id, row.batch_id, (row.email,)) for row in rows}
        _note_refusals(batch.workspace, told, people, now)
        note_deferrals(sender_id=batch.sender_id, destination=chunk.destination, settled=settled, sent=sent, now=now)
    _note_streak(batch.sender, settled, sent, now)


def note_message_outcomes(*, rows: Mapping[int, Message], settled: Sequence[Settled], now: datetime) -> None:
    """Do what follows from the hand-overs of single messages, in the booking's transaction."""
    by_sender: dict[int, list[Settled]] = defaultdict(list)
    for one in settled:
        by_sender[rows[one.handover.message_id].sender_id].append(one)
    for part in by_sender.values():
        row = rows[part[0].handover.message_id]
        if told := [one for one in part if _is_told(one)]:
            _note_refusals(row.workspace, told, {key: _person(rows[key]) for key in map(_key, told)}, now)
            _note_destinations(row.sender_id, rows, part, now)
        _note_streak(row.sender, part, 0, now)


def _note_destinations(sender_id: int, rows: Mapping[int, Message], part: Sequence[Settled], now: datetime) -> None:
    by_destination: dict[str, list[Settled]] = defaultdict(list)
    for one in part:
        by_destination[rows[_key(one)].destination or Destination.OTHER].append(one)
    for destination, found in sorted(by_destination.items()):
        note_deferrals(sender_id=sender_id, destination=destination, settled=found, sent=0, now=now)


def _note_refusals(workspace: Workspace, told: Sequence[Settled], people: Mapping[int, _Person], now: datetime) -> None:
    """Append the events of what did not simply go through, and suppress the addresses that do not exist."""
    whose = {number: (person.contact_id, person.batch_id) for number, person in people.items()}
    ledger.append_events(workspace_id=workspace.pk, settled=told, contacts=whose, now=now)
    for one in told:
        result = one.handover.result
        if result is None:
            continue
        for address in find_bad_addresses(result, people[_key(one)].addresses):
            detail = f"{result.code} {result.enhanced} {result.text}"
            suppress(workspace=workspace, email=address, reason=SuppressionReason.HARD_BOUNCE, detail=detail, now=now)


def _note_streak(sender: SenderAccount, settled: Sequence[Settled], sent: int, now: datetime) -> None:
    """Say at the account what servers hold against it; too many in a row that blame our set-up pause its campaigns."""
    blamed = [one for one in settled if is_about_us(one.judgement.kind)]
    is_taken = sent > 0 or any(one.handover.result and one.handover.result.outcome is Outcome.SENT for one in settled)
    if not blamed:
        if is_taken and sender.configuration_refusals:
            SenderAccount.objects.filter(pk=sender.pk).update(configuration_refusals=0, last_error="")
        return
    ours = [one for one in blamed if one.judgement.kind is RefusalKind.CONFIGURATION]
    error = _explain((ours or blamed)[-1])
    count = 0 if is_taken else F("configuration_refusals") + len(ours)
    SenderAccount.objects.filter(pk=sender.pk).update(last_error=error, configuration_refusals=count)
    streak = SenderAccount.objects.values_list("configuration_refusals", flat=True).get(pk=sender.pk)
    if ours and streak >= PAUSED_AFTER and pause_sender_batches(sender_id=sender.pk, error=error, now=now):
        data: dict[str, JSONValue] = {"kind": RefusalKind.CONFIGURATION.value, "refusals": streak}
        event = NewEvent(name="mail.sender_refused", object_type="sender", object_id=sender.pk, data=data)
        events.record_event(workspace=sender.workspace, event=event, now=now)


def _explain(one: Settled) -> str:
    result, kind = one.handover.result, one.judgement.kind
    return ledger.clean(explain(result, kind)) if result is not None and kind is not None else ""


def _is_told(one: Settled) -> bool:
    """Whether there is more to say of a hand-over than its row says."""
    result = one.handover.result
    return one.judgement.event is not None or (result is not None and bool(result.recipient_replies))


def _key(one: Settled) -> int:
    return one.handover.message_id


def _person(row: Message) -> _Person:
    return _Person(row.contact_id, row.batch_id, (*row.to, *row.cc, *row.bcc))
