"""Checked messages on their way into the ledger: whatever is asked and written of a group takes few statements."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from postroom.core.contacts.types import Fence
from postroom.core.mail.rules.destinations import destination_of
from postroom.core.mail.rules.settling import URGENT_CLASSES
from postroom.core.mail.rules.tokens import message_id_header
from postroom.core.mail.selectors.limits import known_destinations
from postroom.core.mail.services.attachments import store_attachments
from postroom.core.mail.services.ledger import reserve_ids
from postroom.core.mail.services.refusals import find_address_refusals
from postroom.core.mail.services.telling import tell_messages
from postroom.core.mail.types import NOTIFY_QUEUE, Attachment, MessageClass, MessageStatus, SendingAccount
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.types import Actor, AuditRecord, Room
from postroom.kit.copy import copy_cell, copy_octets, copy_statement
from postroom.kit.ids import uuid7_texts
from postroom.kit.notify import notify
from postroom.kit.types import JSONValue

_NULL: Final = r"\N"
_EMPTY: Final[Mapping[str, Any]] = {}

_VARIED: Final = (
    "id, uid, workspace_id, sender_id, content_id, contact_id, category_id, list_ids, message_class, is_test,"
    ' from_address, "to", cc, bcc, reply_to, headers, slots, message_id_header, idempotency_key, status, priority,'
    " next_attempt_at, destination, attachments, shown, api_key_id, scheduled_at, reply_text, created_at"
)
_FIXED: Final = {
    "owner": "",
    "attempt": "0",
    "tries": "0",
    "is_resent": "f",
    "reply_code": "0",
    "provider_id": "",
    "bounce_code": "",
    "open_count": "0",
    "machine_open_count": "0",
    "click_count": "0",
    "scanner_click_count": "0",
}
_COPY_MESSAGES: Final = copy_statement("mail_message", [_VARIED, *_FIXED])
_COPY_LETTERS: Final = copy_statement(
    "mail_letter", ("message_id", "workspace_id", "subject", "html", "text", "template_id")
)
_END: Final = "\t".join(["", *_FIXED.values()]) + "\n"


class Words(NamedTuple):
    """What a program wrote, to be frozen when a sender takes it; a template stands for subject and HTML."""

    subject: str
    html: str
    text: str
    template_id: int | None = None


class Draft(NamedTuple):
    """A message whose every part is allowed, its addresses in their one spelling, with a content or words to freeze."""

    room: Room
    account: SendingAccount
    actor: Actor
    message_class: MessageClass
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    content_id: int | None = None
    words: Words | None = None
    reply_to: tuple[str, ...] = ()
    from_address: str = ""
    headers: Mapping[str, str] = _EMPTY
    slots: Mapping[str, JSONValue] = _EMPTY
    shown: Mapping[str, tuple[str, ...]] = _EMPTY
    fence: Fence = Fence()
    contact_id: int | None = None
    scheduled_at: datetime | None = None
    idempotency_key: str = ""
    is_test: bool = False
    attachments: tuple[Attachment, ...] = ()


class Stored(NamedTuple):
    """A message that is in the ledger now; with a ``reason`` it is suppressed."""

    id: int
    uid: UUID
    reason: str


class _Findings(NamedTuple):
    """What was looked up for a draft."""

    reason: str
    contact_id: int | None
    destination: str
    files: list[JSONValue]


def store_drafts(*, drafts: Sequence[Draft], now: datetime) -> list[Stored]:
    """Write messages down, whosever they are, and wake the senders. The caller has a transaction.

    One that must not go to any of its ``to`` is kept as ``suppressed`` with the reason.
    """
    if not drafts:
        return []
    findings = _look_up(drafts, now)
    numbers, uids = reserve_ids(len(drafts)), uuid7_texts(len(drafts))
    lines = [
        _line(number, uid, draft, found, now)
        for number, uid, draft, found in zip(numbers, uids, drafts, findings, strict=True)
    ]
    copy_octets(_COPY_MESSAGES, "".join(lines).encode())
    letters = [_letter_line(number, draft) for number, draft in zip(numbers, drafts, strict=True) if draft.words]
    if letters:
        copy_octets(_COPY_LETTERS, "".join(letters).encode())
    _record(drafts, now)
    tell_messages(workspace_ids={draft.room.workspace_id for draft in drafts}, message_ids=numbers, now=now)
    notify(NOTIFY_QUEUE)
    return [Stored(number, UUID(uid), found.reason) for number, uid, found in zip(numbers, uids, findings, strict=True)]


def _look_up(drafts: Sequence[Draft], now: datetime) -> list[_Findings]:
    reasons, owners = _find_refusals(drafts)
    limited = {draft.room.workspace_id for draft in drafts if draft.account.is_limited}
    known = {number: known_destinations(workspace_id=number) for number in limited}
    found = []
    for draft in drafts:
        refused = reasons[draft.message_class, draft.fence]
        why = [refused[draft.room, address] for address in draft.to]
        files = store_attachments(workspace_id=draft.room.workspace_id, attachments=draft.attachments, now=now)
        found.append(
            _Findings(
                reason=why[0] if all(why) else "",
                contact_id=draft.contact_id or owners.get((draft.room, draft.to[0])),
                destination=destination_of(draft.to[0], known.get(draft.room.workspace_id, _EMPTY)),
                files=files,
            )
        )
    return found


def _find_refusals(
    drafts: Sequence[Draft],
) -> tuple[dict[tuple[MessageClass, Fence], Mapping[tuple[Room, str], str]], dict[tuple[Room, str], int]]:
    """Return the refusals by kind of mail and address, and whose the addresses are."""
    kinds: dict[tuple[MessageClass, Fence], dict[tuple[Room, str], None]] = defaultdict(dict)
    for draft in drafts:
        kinds[draft.message_class, draft.fence].update(((draft.room, address), None) for address in draft.to)
    reasons: dict[tuple[MessageClass, Fence], Mapping[tuple[Room, str], str]] = {}
    owners: dict[tuple[Room, str], int] = {}
    for kind, places in kinds.items():
        reasons[kind], known = find_address_refusals(places=sorted(places), message_class=kind[0], fence=kind[1])
        owners.update(known)
    return reasons, owners


def _line(number: int, uid: str, draft: Draft, found: _Findings, now: datetime) -> str:
    """Return the message's row in COPY's text format: ``_VARIED``, then ``_FIXED``."""
    fence = draft.fence
    is_urgent = draft.message_class in URGENT_CLASSES or draft.is_test
    status = MessageStatus.SUPPRESSED if found.reason else MessageStatus.QUEUED
    cells = (
        str(number),
        uid,
        str(draft.room.workspace_id),
        str(draft.account.id),
        _number(draft.content_id),
        _number(found.contact_id),
        _number(fence.category_id),
        _list(fence.list_ids),
        draft.message_class.value,
        "t" if draft.is_test else "f",
        copy_cell(draft.from_address),
        _list(draft.to),
        _list(draft.cc),
        _list(draft.bcc),
        _list(draft.reply_to),
        _object(draft.headers),
        _object(draft.slots),
        message_id_header(number, draft.account.domain),
        copy_cell(draft.idempotency_key),
        status.value,
        "0" if is_urgent else "1",
        _NULL if found.reason else _instant(max(draft.scheduled_at or now, now)),
        found.destination,
        _list(found.files),
        _object(draft.shown),
        _number(draft.actor.api_key_id),
        _NULL if draft.scheduled_at is None else _instant(draft.scheduled_at),
        copy_cell(found.reason),
        _instant(now),
    )
    return "\t".join(cells) + _END


def _letter_line(number: int, draft: Draft) -> str:
    words = draft.words or Words("", "", "")
    texts = "\t".join(map(copy_cell, words[:3]))
    return f"{number}\t{draft.room.workspace_id}\t{texts}\t{_number(words.template_id)}\n"


def _instant(at: datetime) -> str:
    return at.isoformat()


def _number(value: int | None) -> str:
    return _NULL if value is None else str(value)


def _list(values: Sequence[object]) -> str:
    return copy_cell(json.dumps(values)) if values else "[]"


def _object(values: Mapping[str, object]) -> str:
    return copy_cell(json.dumps({**values})) if values else "{}"


def _record(drafts: Sequence[Draft], now: datetime) -> None:
    """Append one row to the audit trail for each workspace and actor."""
    counts = Counter((draft.room, draft.actor) for draft in drafts)
    workspaces.record_audits(
        audits=[
            (room, actor, AuditRecord(act="mail.accepted", object_type="message", after={"messages": count}))
            for (room, actor), count in counts.items()
        ],
        now=now,
    )
