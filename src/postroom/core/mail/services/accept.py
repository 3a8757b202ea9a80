"""Accepting single messages, many at a time: checked set-wise, written to the ledger in one transaction."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from postroom.core.contacts import rules
from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.errors import NoSuchContact
from postroom.core.contacts.types import Fence
from postroom.core.mail.errors import BadMessage, NoSuchSender
from postroom.core.mail.models import Content, Message, SenderAccount
from postroom.core.mail.rules.attachments import check_attachments
from postroom.core.mail.rules.destinations import destination_of
from postroom.core.mail.rules.headers import check_header, parse_addresses
from postroom.core.mail.rules.settling import URGENT_CLASSES
from postroom.core.mail.rules.tokens import message_id_header
from postroom.core.mail.selectors.limits import known_destinations
from postroom.core.mail.services.attachments import store_attachments
from postroom.core.mail.services.contents import freeze_content
from postroom.core.mail.services.ledger import reserve_ids
from postroom.core.mail.services.refusals import find_address_refusals
from postroom.core.mail.types import (
    NOTIFY_QUEUE,
    AcceptedMessage,
    Channel,
    Composition,
    MessageClass,
    MessageStatus,
    NewMessage,
    Provider,
)
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.notify import notify

MAX_RECIPIENTS: Final = 50
MAX_IDEMPOTENCY_KEY: Final = 256


@dataclass(frozen=True, slots=True)
class _Checked:
    """A message whose every part is allowed, its addresses in their one spelling."""

    new: NewMessage
    sender: SenderAccount
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]

    @property
    def fence(self) -> Fence:
        return Fence(list_ids=self.new.list_ids, category_id=self.new.category_id)


@transaction.atomic
def accept_messages(
    *, workspace: Workspace, messages: Sequence[NewMessage], actor: Actor, now: datetime
) -> list[AcceptedMessage]:
    """Take responsibility for messages: all of them or, when one is wrong, none.

    A message that must not go to any of its ``to`` is kept as ``suppressed`` with the reason. An idempotency key that
    was used before answers with the message accepted then. Raises BadMessage, BadAddress, BadHeader, BadComposition,
    BadAttachment, TemplateRefused, NoSuchSender, NoSuchContact, NoSuchList or NoSuchCategory.
    """
    senders = _load_senders(workspace, messages)
    checked = [_check(number, new, senders) for number, new in enumerate(messages)]
    _check_references(workspace, messages)
    known = _find_replays(workspace, [new.idempotency_key for new in messages])
    fresh = _first_of_each_key([one for one in checked if one.new.idempotency_key not in known])
    rows = _make_rows(workspace, fresh, now)
    Message.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)
    if rows:
        _record(workspace, len(rows), actor, now)
        notify(NOTIFY_QUEUE)
    return _answer(workspace, checked, rows)


def _load_senders(workspace: Workspace, messages: Sequence[NewMessage]) -> dict[int, SenderAccount]:
    wanted = {new.sender_id for new in messages}
    found = SenderAccount.objects.filter(workspace=workspace, pk__in=wanted, channel=Channel.EMAIL)
    return {sender.pk: sender for sender in found.select_related("domain")}


def _check_references(workspace: Workspace, messages: Sequence[NewMessage]) -> None:
    """Refuse people, lists and categories that this workspace does not know."""
    for list_id in {list_id for new in messages for list_id in new.list_ids}:
        contacts.get_list(workspace=workspace, list_id=list_id)
    for category_id in {new.category_id for new in messages if new.category_id is not None}:
        contacts.get_category(workspace=workspace, category_id=category_id)
    people = {new.contact_id for new in messages if new.contact_id is not None}
    seen = contacts.load_mail_states(workspace=workspace, contact_ids=people, fence=Fence()) if people else {}
    if people - seen.keys():
        raise NoSuchContact("There is no such person in this workspace.")


def _check(number: int, new: NewMessage, senders: Mapping[int, SenderAccount]) -> _Checked:
    sender = senders.get(new.sender_id)
    if sender is None:
        raise NoSuchSender(f"Message {number}: there is no such sender account in this workspace.")
    if not sender.is_active:
        raise BadMessage(f"Message {number}: the sender account {sender.name} is switched off.")
    if not new.to:
        raise BadMessage(f"Message {number} has no recipient.")
    if len(new.to) + len(new.cc) + len(new.bcc) > MAX_RECIPIENTS:
        raise BadMessage(f"Message {number} has more than {MAX_RECIPIENTS} recipients.")
    if len(new.idempotency_key) > MAX_IDEMPOTENCY_KEY:
        raise BadMessage(f"Message {number}: its idempotency key is longer than {MAX_IDEMPOTENCY_KEY} characters.")
    for name, value in new.headers.items():
        check_header(name, value)
    for address in new.reply_to:
        parse_addresses(address)
    check_attachments(new.attachments)
    _check_from(number, new, sender)
    to, cc, bcc = (tuple(map(rules.normalise_email, field)) for field in (new.to, new.cc, new.bcc))
    return _Checked(new, sender, to, cc, bcc)


def _check_from(number: int, new: NewMessage, sender: SenderAccount) -> None:
    """An own From may change the name and the local part, never the domain that the account stands for."""
    if not new.from_address:
        return
    pairs = parse_addresses(new.from_address)
    if sender.provider == Provider.SANDBOX and len(pairs) == 1:
        return  # what stays here speaks for nobody
    own = sender.from_email.rpartition("@")[2].lower()
    if len(pairs) != 1 or pairs[0][1].rpartition("@")[2].lower() != own:
        raise BadMessage(f"Message {number}: its From must be one address of {own}.")


def _find_replays(workspace: Workspace, keys: Sequence[str]) -> dict[str, Message]:
    wanted = {key for key in keys if key}
    if not wanted:
        return {}
    rows = Message.objects.filter(workspace=workspace, idempotency_key__in=wanted)
    return {row.idempotency_key: row for row in rows}


def _first_of_each_key(checked: Sequence[_Checked]) -> list[_Checked]:
    keyed = {one.new.idempotency_key: one for one in reversed(checked)}
    return [one for one in checked if not one.new.idempotency_key or keyed[one.new.idempotency_key] is one]


def _make_rows(workspace: Workspace, checked: Sequence[_Checked], now: datetime) -> list[Message]:
    contents: dict[tuple[Composition, MessageClass, int], Content] = {}
    reasons, owners = _find_refusals(workspace, checked)
    is_limited = any(one.sender.is_limited for one in checked)
    known = known_destinations(workspace=workspace) if is_limited else {}
    rows = []
    for message_id, one in zip(reserve_ids(len(checked)) if checked else (), checked, strict=True):
        key = (one.new.composition, one.new.message_class, one.sender.pk)
        if key not in contents:
            contents[key] = freeze_content(
                workspace=workspace, composition=key[0], message_class=key[1], now=now, sender_id=key[2]
            )
        refusals = [reasons[one.new.message_class, one.fence][address] for address in one.to]
        reason = refusals[0] if all(refusals) else ""
        row = _make_row(workspace, message_id, one, reason, now)
        row.content = contents[key]
        row.destination = destination_of(one.to[0], known)
        row.contact_id = one.new.contact_id or owners.get(one.to[0])
        row.attachments = store_attachments(workspace=workspace, attachments=one.new.attachments, now=now)
        rows.append(row)
    return rows


def _find_refusals(
    workspace: Workspace, checked: Sequence[_Checked]
) -> tuple[dict[tuple[MessageClass, Fence], Mapping[str, str]], dict[str, int]]:
    """Return the refusals by kind of mail and address, and whose the addresses are."""
    kinds: dict[tuple[MessageClass, Fence], set[str]] = defaultdict(set)
    for one in checked:
        kinds[one.new.message_class, one.fence].update(one.to)
    reasons: dict[tuple[MessageClass, Fence], Mapping[str, str]] = {}
    owners: dict[str, int] = {}
    for kind, addresses in kinds.items():
        reasons[kind], known = find_address_refusals(
            workspace=workspace, message_class=kind[0], fence=kind[1], addresses=sorted(addresses)
        )
        owners.update(known)
    return reasons, owners


def _make_row(workspace: Workspace, message_id: int, one: _Checked, reason: str, now: datetime) -> Message:
    new = one.new
    return Message(
        id=message_id,
        workspace=workspace,
        sender=one.sender,
        category_id=new.category_id,
        list_ids=list(new.list_ids),
        message_class=new.message_class,
        is_test=new.is_test,
        from_address=new.from_address,
        to=list(one.to),
        cc=list(one.cc),
        bcc=list(one.bcc),
        reply_to=list(new.reply_to),
        headers=dict(new.headers),
        slots=dict(new.slots),
        message_id_header=message_id_header(message_id, one.sender.from_email.rpartition("@")[2]),
        idempotency_key=new.idempotency_key,
        status=MessageStatus.SUPPRESSED if reason else MessageStatus.QUEUED,
        reply_text=reason,
        priority=0 if new.message_class in URGENT_CLASSES or new.is_test else 1,
        next_attempt_at=None if reason else max(new.scheduled_at or now, now),
        created_at=now,
    )


def _record(workspace: Workspace, count: int, actor: Actor, now: datetime) -> None:
    record = AuditRecord(act="mail.accepted", object_type="message", after={"messages": count})
    workspaces.record_audit(workspace=workspace, actor=actor, record=record, now=now)


def _answer(workspace: Workspace, checked: Sequence[_Checked], rows: Sequence[Message]) -> list[AcceptedMessage]:
    """Return an answer per message; a key may have been taken by somebody else between our look and our write."""
    keys = _find_replays(workspace, [one.new.idempotency_key for one in checked])
    ours = {row.pk for row in rows}
    plain = iter([row for row in rows if not row.idempotency_key])
    answers = []
    for one in checked:
        row = keys[one.new.idempotency_key] if one.new.idempotency_key else next(plain)
        is_replay = row.pk not in ours
        ours.discard(row.pk)  # the second of two equal keys in one call is a replay too
        answers.append(AcceptedMessage(row.pk, row.uid, MessageStatus(row.status), _reason(row), is_replay))
    return answers


def _reason(row: Message) -> str:
    return row.reply_text if row.status == MessageStatus.SUPPRESSED else ""
