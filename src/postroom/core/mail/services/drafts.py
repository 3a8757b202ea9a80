"""Checked messages on their way into the ledger: whatever is asked and written of a group takes few statements."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from json.encoder import encode_basestring_ascii
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
from postroom.kit.arrays import array_text, text_array_text
from postroom.kit.ids import uuid7_texts
from postroom.kit.notify import notify
from postroom.kit.prepared import pipelined, run_prepared
from postroom.kit.types import JSONValue

_NULL: Final = "NULL"
_EMPTY: Final[Mapping[str, Any]] = {}

_TEXTS: Final = ("text", "jsonb")
_COLUMNS: Final = {
    "id": "bigint",
    "uid": "uuid",
    "workspace_id": "bigint",
    "sender_id": "bigint",
    "content_id": "bigint",
    "contact_id": "bigint",
    "category_id": "bigint",
    "list_ids": "jsonb",
    "message_class": "text",
    "is_test": "bool",
    "from_address": "text",
    "to": "jsonb",
    "cc": "jsonb",
    "bcc": "jsonb",
    "reply_to": "jsonb",
    "headers": "jsonb",
    "slots": "jsonb",
    "message_id_header": "text",
    "idempotency_key": "text",
    "status": "text",
    "priority": "int",
    "next_attempt_at": "timestamptz",
    "destination": "text",
    "attachments": "jsonb",
    "shown": "jsonb",
    "api_key_id": "bigint",
    "scheduled_at": "timestamptz",
    "reply_text": "text",
    "created_at": "timestamptz",
}
_NAMES: Final = ", ".join(f'"{name}"' for name in _COLUMNS)
_ARRAYS: Final = ", ".join(f"%({name})s::{kind}[]" for name, kind in _COLUMNS.items())
_STORE_MESSAGES: Final = f"""
INSERT INTO mail_message ({_NAMES}, owner, attempt, tries, is_resent, reply_code, provider_id, bounce_code, open_count,
    machine_open_count, click_count, scanner_click_count)
SELECT x.*, '', 0, 0, false, 0, '', '', 0, 0, 0, 0 FROM unnest({_ARRAYS}) AS x
"""  # noqa: S608 - made of constants
_STORE_LETTERS: Final = """
INSERT INTO mail_letter (message_id, workspace_id, subject, html, text, template_id)
SELECT * FROM unnest(%(message_ids)s::bigint[], %(workspaces)s::bigint[], %(subjects)s::text[], %(htmls)s::text[],
    %(texts)s::text[], %(templates)s::bigint[])
"""


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


def store_drafts(*, drafts: Sequence[Draft], now: datetime, numbers: Sequence[int] | None = None) -> list[Stored]:
    """Write messages down, whosever they are, and wake the senders. The caller has a transaction.

    One that must not go to any of its ``to`` is kept as ``suppressed`` with the reason. ``numbers`` are at least as
    many fresh ones of the ledger, if the caller has them already.
    """
    if not drafts:
        return []
    findings = _look_up(drafts, now)
    numbers = reserve_ids(len(drafts)) if numbers is None else numbers[: len(drafts)]
    uids = uuid7_texts(len(drafts))
    with pipelined():
        _store_messages(numbers, uids, drafts, findings, now)
        _store_letters(numbers, drafts)
        _record(drafts, now)
        notify(NOTIFY_QUEUE)
    tell_messages(workspace_ids={draft.room.workspace_id for draft in drafts}, message_ids=numbers, now=now)
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


def _store_messages(
    numbers: Sequence[int], uids: Sequence[str], drafts: Sequence[Draft], findings: Sequence[_Findings], now: datetime
) -> None:
    rows = [
        _row(number, uid, draft, found, now)
        for number, uid, draft, found in zip(numbers, uids, drafts, findings, strict=True)
    ]
    columns = zip(_COLUMNS.items(), zip(*rows, strict=True), strict=True)
    parameters = {name: (text_array_text if kind in _TEXTS else array_text)(values) for (name, kind), values in columns}
    run_prepared(_STORE_MESSAGES, parameters)


def _row(number: int, uid: str, draft: Draft, found: _Findings, now: datetime) -> tuple[object, ...]:
    """Return the values of ``_COLUMNS`` as PostgreSQL writes them."""
    status = MessageStatus.SUPPRESSED if found.reason else MessageStatus.QUEUED
    is_urgent = draft.message_class in URGENT_CLASSES or draft.is_test
    return (
        number,
        uid,
        draft.room.workspace_id,
        draft.account.id,
        _or_null(draft.content_id),
        _or_null(found.contact_id),
        _or_null(draft.fence.category_id),
        _list(draft.fence.list_ids),
        draft.message_class.value,
        draft.is_test,
        draft.from_address,
        _texts(draft.to),
        _texts(draft.cc),
        _texts(draft.bcc),
        _texts(draft.reply_to),
        _object(draft.headers),
        _object(draft.slots),
        message_id_header(number, draft.account.domain),
        draft.idempotency_key,
        status.value,
        0 if is_urgent else 1,
        _NULL if found.reason else max(draft.scheduled_at or now, now).isoformat(),
        found.destination,
        _list(found.files),
        _object(draft.shown),
        _or_null(draft.actor.api_key_id),
        _NULL if draft.scheduled_at is None else draft.scheduled_at.isoformat(),
        found.reason,
        now.isoformat(),
    )


def _store_letters(numbers: Sequence[int], drafts: Sequence[Draft]) -> None:
    letters = [
        (number, draft.room.workspace_id, *draft.words)
        for number, draft in zip(numbers, drafts, strict=True)
        if draft.words is not None
    ]
    if not letters:
        return
    message_ids, rooms, subjects, htmls, texts, templates = zip(*letters, strict=True)
    parameters = {
        "message_ids": array_text(message_ids),
        "workspaces": array_text(rooms),
        "subjects": text_array_text(subjects),
        "htmls": text_array_text(htmls),
        "texts": text_array_text(texts),
        "templates": array_text(map(_or_null, templates)),
    }
    run_prepared(_STORE_LETTERS, parameters)


def _or_null(value: int | None) -> int | str:
    return _NULL if value is None else value


def _list(values: Sequence[object]) -> str:
    return json.dumps(values) if values else "[]"


def _texts(values: Sequence[str]) -> str:
    """As ``_list``, in half the time: an encoder is not set up for each."""
    return f"[{', '.join(map(encode_basestring_ascii, values))}]" if values else "[]"


def _object(values: Mapping[str, object]) -> str:
    return json.dumps({**values}) if values else "{}"


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
