"""The ledger's own statements: fresh numbers, rows appended for a chunk, rows moved on for single messages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection

from postroom.core.mail.models import DeliveryEvent
from postroom.core.mail.ports import Handover
from postroom.core.mail.rules.settling import Judgement
from postroom.kit.ids import uuid7

MAX_REPLY: Final = 1000

_ENDINGS: Final = """
unnest(%(id)s::bigint[], %(status)s::text[], %(next_attempt_at)s::timestamptz[], %(tries)s::int[],
       %(is_resent)s::bool[], %(code)s::int[], %(text)s::text[], %(provider_id)s::text[], %(at)s::float8[],
       %(bounce_code)s::text[], %(uid)s::uuid[], %(header)s::text[], %(attempt)s::int[])
AS x(id, status, next_attempt_at, tries, is_resent, code, text, provider_id, at, bounce_code, uid, header, attempt)
"""

_APPEND: Final = f"""
INSERT INTO mail_message (
    id, uid, workspace_id, batch_id, sender_id, content_id, contact_id, category_id, list_ids, message_class, is_test,
    from_address, "to", cc, bcc, reply_to, headers, slots, message_id_header, idempotency_key, status, priority, owner,
    attempt, tries, is_resent, next_attempt_at, reply_code, reply_text, provider_id, created_at, sent_at, delivered_at,
    bounced_at, bounce_code, open_count, machine_open_count, click_count, scanner_click_count, destination)
SELECT x.id, x.uid, b.workspace_id, b.id, b.sender_id, coalesce(c.content_id, b.content_id), r.contact_id,
    b.category_id, b.list_ids, b.message_class, false, '', jsonb_build_array(r.email), '[]', '[]', '[]', '{{}}',
    '{{}}', x.header, '', x.status, %(priority)s, '', 1, x.tries, x.is_resent, x.next_attempt_at,
    x.code, x.text, x.provider_id, b.created_at,
    CASE WHEN x.status = 'sent' THEN to_timestamp(x.at) END,
    CASE WHEN x.status = 'sent' THEN to_timestamp(x.at) END,
    CASE WHEN x.bounce_code <> '' THEN to_timestamp(x.at) END,
    x.bounce_code, 0, 0, 0, 0, c.destination
FROM {_ENDINGS}
JOIN mail_recipient r ON r.id = x.id AND r.batch_id = %(batch_id)s AND r.chunk_number = %(chunk_number)s
JOIN mail_batch b ON b.id = r.batch_id
JOIN mail_chunk c ON c.batch_id = b.id AND c.number = r.chunk_number
"""  # noqa: S608 - made of constants

_MOVE_ON: Final = f"""
UPDATE mail_message m SET status = x.status, owner = '', tries = x.tries, is_resent = x.is_resent,
    next_attempt_at = x.next_attempt_at, reply_code = x.code, reply_text = x.text,
    provider_id = coalesce(nullif(x.provider_id, ''), m.provider_id),
    sent_at = CASE WHEN x.status = 'sent' THEN to_timestamp(x.at) ELSE m.sent_at END,
    delivered_at = CASE WHEN x.status = 'sent' THEN to_timestamp(x.at) ELSE m.delivered_at END,
    bounced_at = CASE WHEN x.bounce_code <> '' THEN to_timestamp(x.at) ELSE m.bounced_at END,
    bounce_code = CASE WHEN x.bounce_code <> '' THEN x.bounce_code ELSE m.bounce_code END
FROM {_ENDINGS}
WHERE m.id = x.id AND m.owner = %(owner)s AND m.attempt = x.attempt AND m.status = 'claimed'
"""  # noqa: S608 - made of constants


@dataclass(frozen=True, slots=True)
class Settled:
    """One judged hand-over. ``attempt`` fences the row of a single message; ``header`` is a new row's Message-ID."""

    handover: Handover
    judgement: Judgement
    attempt: int = 0
    header: str = ""


def reserve_ids(count: int) -> list[int]:
    """Take ``count`` fresh numbers of the ledger."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('mail_message_id') FROM generate_series(1, %s)", [count])
        return [number for (number,) in cursor.fetchall()]


def append_rows(*, batch_id: int, chunk_number: int, priority: int, settled: Sequence[Settled]) -> None:
    """Append one row per settled message of a chunk; what a batch's messages have in common is copied by the server."""
    if not settled:
        return
    parameters = _columns(settled) | {"batch_id": batch_id, "chunk_number": chunk_number, "priority": priority}
    with connection.cursor() as cursor:
        cursor.execute(_APPEND, parameters)


def move_rows(*, owner: str, settled: Sequence[Settled]) -> None:
    """Move the rows of single messages on; a row whose claim is another's by now stays as it is."""
    if not settled:
        return
    with connection.cursor() as cursor:
        cursor.execute(_MOVE_ON, _columns(settled) | {"owner": owner})


def append_events(
    *, workspace_id: int, settled: Iterable[Settled], contacts: dict[int, tuple[int | None, int | None]], now: datetime
) -> None:
    """Append what a message's history gains; ``contacts`` maps a message to its (contact, batch)."""
    rows = [
        DeliveryEvent(
            key=f"{one.judgement.event}:{one.handover.message_id}:{one.judgement.tries}",
            workspace_id=workspace_id,
            message_id=one.handover.message_id,
            contact_id=contacts[one.handover.message_id][0],
            batch_id=contacts[one.handover.message_id][1],
            type=one.judgement.event,
            at=now,
            data=_answer(one.handover),
        )
        for one in settled
        if one.judgement.event is not None
    ]
    DeliveryEvent.objects.bulk_create(rows, batch_size=1000, ignore_conflicts=True)


def clean(said: str) -> str:
    """Return what a server said as the database can keep it: bounded, and without the octet it cannot hold."""
    return said.replace("\x00", "").strip()[:MAX_REPLY]


def _answer(handover: Handover) -> dict[str, object]:
    result = handover.result
    if result is None:
        return {"reason": handover.refusal}
    return {"code": result.code, "enhanced": clean(result.enhanced), "text": clean(result.text)}


def _columns(settled: Sequence[Settled]) -> dict[str, str]:
    """Return the parameters of ``_ENDINGS`` as array literals, which cost a tenth of what lists do."""
    handovers = [one.handover for one in settled]
    judgements = [one.judgement for one in settled]
    return {
        "id": _array(handover.message_id for handover in handovers),
        "at": _array(handover.at for handover in handovers),
        "code": _array(handover.result.code if handover.result else 0 for handover in handovers),
        "text": _texts(_said(handover) for handover in handovers),
        "provider_id": _texts(handover.result.provider_id[:255] if handover.result else "" for handover in handovers),
        "status": _array(judgement.status.value for judgement in judgements),
        "next_attempt_at": _array(
            f'"{judgement.next_attempt_at}"' if judgement.next_attempt_at else "NULL" for judgement in judgements
        ),
        "tries": _array(judgement.tries for judgement in judgements),
        "is_resent": _array(judgement.is_resent for judgement in judgements),
        "bounce_code": _texts(_bounce_code(one) for one in settled),
        "uid": _array(uuid7() for _ in settled),
        "header": _texts(one.header for one in settled),
        "attempt": _array(one.attempt for one in settled),
    }


def _array(values: Iterable[object]) -> str:
    """Return the literal of an array of things whose words need no quotes."""
    return f"{{{','.join(map(str, values))}}}"


def _texts(values: Iterable[str]) -> str:
    """Return the literal of an array of any texts (PostgreSQL, section 8.15.6), without the NUL that it cannot hold."""
    quoted = _array(f'"{text}"' for text in (value.replace("\\", "\\\\").replace('"', '\\"') for value in values))
    return quoted.replace("\0", "")


def _said(handover: Handover) -> str:
    """What the other side answered, or why nothing was said."""
    if handover.result is None:
        return handover.refusal
    refused = "".join(f" {address}: {code} {text}" for address, code, text in handover.result.recipient_replies)
    return clean(f"{handover.result.text}{refused}")


def _bounce_code(one: Settled) -> str:
    if not one.judgement.is_bounced or one.handover.result is None:
        return ""
    return clean(one.handover.result.enhanced or str(one.handover.result.code))[:20]
