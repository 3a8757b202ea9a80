"""Accepting single messages, many at a time: checked set-wise, written to the ledger in one transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from django.db import connection, transaction

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.errors import NoSuchContact
from postroom.core.contacts.types import Fence
from postroom.core.mail.errors import BadMessage, NoSuchSender
from postroom.core.mail.models import Message, SenderAccount
from postroom.core.mail.rules.headers import parse_addresses
from postroom.core.mail.rules.parts import check_parts, normalise_all
from postroom.core.mail.selectors.sending import load_sending_rooms
from postroom.core.mail.services.contents import freeze, store_contents
from postroom.core.mail.services.drafts import Draft, Stored, store_drafts
from postroom.core.mail.types import (
    AcceptedMessage,
    MessageStatus,
    NewMessage,
    Provider,
    SendingAccount,
)
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, Room

MAX_IDEMPOTENCY_KEY: Final = 256

_LOCK: Final = """
SELECT pg_advisory_xact_lock(hashtextextended('message ' || x.key, %s))
FROM (SELECT key FROM unnest(%s::text[]) AS k(key) ORDER BY key) x
"""


@transaction.atomic
def accept_messages(
    *, workspace: Workspace, messages: Sequence[NewMessage], actor: Actor, now: datetime
) -> list[AcceptedMessage]:
    """Take responsibility for messages: all of them or, when one is wrong, none.

    A message that must not go to any of its ``to`` is kept as ``suppressed`` with the reason. An idempotency key that
    was used before answers with the message accepted then. Raises BadMessage, BadAddress, BadHeader, BadComposition,
    BadAttachment, TemplateRefused, NoSuchSender, NoSuchContact, NoSuchList or NoSuchCategory.
    """
    accounts = {one.id: one for one in load_sending_rooms(workspace_ids=[workspace.pk])[workspace.pk].accounts}
    drafts = [_draft(number, workspace, new, accounts, actor) for number, new in enumerate(messages)]
    _check_references(workspace, messages)
    known = _find_replays(workspace, {draft.idempotency_key for draft in drafts} - {""})
    fresh = _fresh_ones(drafts, known)
    contents = _freeze(workspace, [messages[number] for number in fresh], now)
    ready = [drafts[number]._replace(content_id=content) for number, content in zip(fresh, contents, strict=True)]
    answers = {
        number: AcceptedMessage(one.id, one.uid, _status(one), one.reason)
        for number, one in zip(fresh, store_drafts(drafts=ready, now=now), strict=True)
    }
    known |= {drafts[number].idempotency_key: replace(answer, is_replay=True) for number, answer in answers.items()}
    return [answers.get(number) or known[draft.idempotency_key] for number, draft in enumerate(drafts)]


def _draft(
    number: int, workspace: Workspace, new: NewMessage, accounts: Mapping[int, SendingAccount], actor: Actor
) -> Draft:
    account = accounts.get(new.sender_id)
    if account is None:
        raise NoSuchSender(f"Message {number}: there is no such sender account in this workspace.")
    if not account.is_active:
        raise BadMessage(f"Message {number}: the sender account {account.name} is switched off.")
    if len(new.idempotency_key) > MAX_IDEMPOTENCY_KEY:
        raise BadMessage(f"Message {number}: its idempotency key is longer than {MAX_IDEMPOTENCY_KEY} characters.")
    for address in new.reply_to:
        parse_addresses(address)
    counts = len(new.to), len(new.to) + len(new.cc) + len(new.bcc)
    check_parts(f"Message {number}", counts, new.headers, new.attachments)
    _check_from(number, new, account)
    return Draft(
        room=Room(workspace.pk, workspace.organization_id),
        account=account,
        actor=actor,
        message_class=new.message_class,
        to=normalise_all(new.to),
        cc=normalise_all(new.cc),
        bcc=normalise_all(new.bcc),
        reply_to=new.reply_to,
        from_address=new.from_address,
        headers=new.headers,
        slots=new.slots,
        fence=Fence(list_ids=new.list_ids, category_id=new.category_id),
        contact_id=new.contact_id,
        scheduled_at=new.scheduled_at,
        idempotency_key=new.idempotency_key,
        is_test=new.is_test,
        attachments=new.attachments,
    )


def _check_from(number: int, new: NewMessage, account: SendingAccount) -> None:
    """An own From may change the name and the local part, never the domain that the account stands for."""
    if not new.from_address:
        return
    pairs = parse_addresses(new.from_address)
    if account.provider == Provider.SANDBOX and len(pairs) == 1:
        return  # what stays here speaks for nobody
    if len(pairs) != 1 or pairs[0][1].rpartition("@")[2].lower() != account.domain:
        raise BadMessage(f"Message {number}: its From must be one address of {account.domain}.")


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


def _find_replays(workspace: Workspace, keys: Collection[str]) -> dict[str, AcceptedMessage]:
    """Take idempotency keys until the transaction ends; return what those that were used before were used for."""
    if not keys:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [workspace.pk, list(keys)])
    rows = Message.objects.filter(workspace=workspace, idempotency_key__in=keys)
    return {row.idempotency_key: _replay(row) for row in rows}


def _replay(row: Message) -> AcceptedMessage:
    status = MessageStatus(row.status)
    reason = row.reply_text if status is MessageStatus.SUPPRESSED else ""
    return AcceptedMessage(row.pk, row.uid, status, reason, is_replay=True)


def _fresh_ones(drafts: Sequence[Draft], known: Mapping[str, AcceptedMessage]) -> list[int]:
    """Return the places of those that are to be stored: of several with one key the first."""
    first = {draft.idempotency_key: number for number, draft in reversed([*enumerate(drafts)])}
    return [
        number
        for number, draft in enumerate(drafts)
        if not draft.idempotency_key or (draft.idempotency_key not in known and first[draft.idempotency_key] == number)
    ]


def _freeze(workspace: Workspace, messages: Sequence[NewMessage], now: datetime) -> list[int]:
    """Return the content of each message; equal words of one account are frozen once."""
    keys = [(new.composition, new.message_class, new.sender_id) for new in messages]
    wanted = list(dict.fromkeys(keys))
    senders = SenderAccount.objects.select_related("domain").in_bulk({key[2] for key in wanted})
    frozen = [freeze(composition, kind, senders[sender_id]) for composition, kind, sender_id in wanted]
    numbers = store_contents(workspace_id=workspace.pk, contents=frozen, now=now) if frozen else []
    contents = dict(zip(wanted, numbers, strict=True))
    return [contents[key] for key in keys]


def _status(stored: Stored) -> MessageStatus:
    return MessageStatus.SUPPRESSED if stored.reason else MessageStatus.QUEUED
