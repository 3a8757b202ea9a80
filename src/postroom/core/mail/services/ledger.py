"""The ledger's own statements: fresh numbers, rows appended for a chunk, rows moved on for single messages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from postroom.core.mail.models import DeliveryEvent
from postroom.core.mail.ports import Handover, Outcome, Result
from postroom.core.mail.rules.settling import Judgement
from postroom.core.mail.rules.tokens import message_id_header
from postroom.kit.arrays import array_text, text_array_text
from postroom.kit.ids import uuid7_texts
from postroom.kit.prepared import Asked, ask_prepared

MAX_REPLY: Final = 1000

_NO_RESULT: Final = Result(Outcome.FAILED)

_NUMBERS: Final = "SELECT nextval('mail_message_id') FROM generate_series(1, %(count)s::int)"

# Of a hand-over that went well at once, all but this is the same for everyone.
_SENT: Final = """
(SELECT id, 'sent' AS status, NULL::timestamptz AS next_attempt_at, 1 AS tries, false AS is_resent, code, text,
    provider_id, at, '' AS bounce_code, is_relayed, uid, header, NULL::timestamptz AS safe_until
 FROM unnest(%(id)s::bigint[], %(code)s::int[], %(text)s::text[], %(provider_id)s::text[], %(at)s::float8[],
    %(is_relayed)s::bool[], %(uid)s::uuid[], %(header)s::text[])
    AS one(id, code, text, provider_id, at, is_relayed, uid, header)) x
"""

_ENDINGS: Final = """
unnest(%(id)s::bigint[], %(code)s::int[], %(text)s::text[], %(provider_id)s::text[], %(at)s::float8[],
    %(is_relayed)s::bool[], %(uid)s::uuid[], %(header)s::text[], %(status)s::text[], %(next_attempt_at)s::timestamptz[],
    %(tries)s::int[], %(is_resent)s::bool[], %(bounce_code)s::text[], %(attempt)s::int[], %(safe_until)s::timestamptz[])
    AS x(id, code, text, provider_id, at, is_relayed, uid, header, status, next_attempt_at, tries, is_resent,
        bounce_code, attempt, safe_until)
"""

_APPEND: Final = """
INSERT INTO mail_message (
    id, uid, workspace_id, batch_id, sender_id, content_id, contact_id, category_id, list_ids, message_class, is_test,
    from_address, "to", cc, bcc, reply_to, headers, slots, message_id_header, idempotency_key, status, priority, owner,
    attempt, tries, is_resent, next_attempt_at, first_attempt_at, reply_code, reply_text, provider_id, created_at,
    sent_at, delivered_at, bounced_at, bounce_code, open_count, machine_open_count, click_count, scanner_click_count,
    destination, safe_until)
SELECT x.id, x.uid, b.workspace_id, b.id, b.sender_id, coalesce(c.content_id, b.content_id), r.contact_id,
    b.category_id, b.list_ids, b.message_class, false, b.from_address, jsonb_build_array(r.email), b.cc, b.bcc,
    b.reply_to, '{}', '{}', x.header, '', x.status, %(priority)s, '', 1, x.tries, x.is_resent, x.next_attempt_at,
    CASE WHEN x.tries > 0 THEN to_timestamp(x.at) END, x.code, x.text, x.provider_id, b.created_at,
    CASE WHEN x.status = 'sent' THEN to_timestamp(x.at) END,
    CASE WHEN x.status = 'sent' AND NOT x.is_relayed THEN to_timestamp(x.at) END,
    CASE WHEN x.bounce_code <> '' THEN to_timestamp(x.at) END,
    x.bounce_code, 0, 0, 0, 0, c.destination, x.safe_until
FROM %(endings)s
JOIN mail_recipient r ON r.id = x.id AND r.batch_id = %(batch_id)s AND r.chunk_number = %(chunk_number)s
JOIN mail_batch b ON b.id = r.batch_id
JOIN mail_chunk c ON c.batch_id = b.id AND c.number = r.chunk_number
"""
_APPEND_SENT: Final = _APPEND.replace("%(endings)s", _SENT)
_APPEND_ENDINGS: Final = _APPEND.replace("%(endings)s", _ENDINGS)

_MOVE_ON: Final = f"""
UPDATE mail_message m SET status = x.status, owner = '', tries = x.tries, is_resent = x.is_resent,
    next_attempt_at = x.next_attempt_at, safe_until = x.safe_until, reply_code = x.code, reply_text = x.text,
    first_attempt_at = coalesce(m.first_attempt_at, CASE WHEN x.tries > 0 THEN to_timestamp(x.at) END),
    provider_id = coalesce(nullif(x.provider_id, ''), m.provider_id),
    sent_at = CASE WHEN x.status = 'sent' THEN to_timestamp(x.at) ELSE m.sent_at END,
    delivered_at = CASE WHEN x.status = 'sent' AND NOT x.is_relayed THEN to_timestamp(x.at) ELSE m.delivered_at END,
    bounced_at = CASE WHEN x.bounce_code <> '' THEN to_timestamp(x.at) ELSE m.bounced_at END,
    bounce_code = CASE WHEN x.bounce_code <> '' THEN x.bounce_code ELSE m.bounce_code END
FROM {_ENDINGS}
WHERE m.id = x.id AND m.owner = %(owner)s AND m.attempt = x.attempt AND m.status = 'claimed'
"""  # noqa: S608 - made of constants


_PROVE: Final = """
UPDATE mail_message m SET status = 'sent', next_attempt_at = NULL, safe_until = NULL, reply_code = x.code,
    reply_text = x.text, provider_id = coalesce(nullif(x.provider_id, ''), m.provider_id), tries = m.tries + 1,
    first_attempt_at = coalesce(m.first_attempt_at, to_timestamp(x.at)), sent_at = to_timestamp(x.at),
    delivered_at = CASE WHEN x.is_relayed THEN m.delivered_at ELSE to_timestamp(x.at) END
FROM unnest(%(id)s::bigint[], %(code)s::int[], %(text)s::text[], %(provider_id)s::text[], %(at)s::float8[],
    %(is_relayed)s::bool[]) AS x(id, code, text, provider_id, at, is_relayed)
WHERE m.id = x.id AND (m.status = 'in_doubt' OR (m.status = 'deferred' AND m.is_resent AND m.tries = 0)
    OR (m.status IN ('queued', 'deferred') AND m.safe_until IS NOT NULL))
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rows of a chunk belong; ``domain`` that of its From, for the Message-IDs."""

    batch_id: int
    chunk_number: int
    priority: int
    domain: str


@dataclass(frozen=True, slots=True)
class Settled:
    """One judged hand-over. ``attempt`` fences the row of a single message."""

    handover: Handover
    judgement: Judgement
    attempt: int = 0


def reserve_ids(count: int) -> list[int]:
    """Take ``count`` fresh numbers of the ledger."""
    return ask_ids(count).get()


def ask_ids(count: int) -> Asked[list[int]]:
    """Ask for them; in a pipeline, together with what else is asked."""
    return ask_prepared(_NUMBERS, {"count": count}, lambda rows: [number for (number,) in rows])


def append_sent(*, place: Place, handovers: Sequence[Handover]) -> None:
    """Append one row for each message of a chunk that went well at its first hand-over: most of most chunks.

    What a batch's messages have in common is copied by the server.
    """
    if handovers:
        _execute(_APPEND_SENT, _fresh(handovers, place.domain) | _answers(handovers) | _parameters(place))


def append_rows(*, place: Place, settled: Sequence[Settled]) -> None:
    """Append one row for each settled message of a chunk, however it went."""
    if settled:
        fresh = _fresh([one.handover for one in settled], place.domain)
        _execute(_APPEND_ENDINGS, _endings(settled) | fresh | _parameters(place))


def move_rows(*, owner: str, settled: Sequence[Settled]) -> None:
    """Move the rows of single messages on; a row whose claim is another's by now stays as it is."""
    if settled:
        nothing = {"uid": "{}", "header": "{}"}
        _execute(_MOVE_ON, _endings(settled) | nothing | {"owner": owner})


def prove_sent(*, handovers: Sequence[Handover]) -> None:
    """Mark messages that are in doubt, or wait for their repeat after doubt, as sent: an answer to them was found."""
    if handovers:
        _execute(_PROVE, _answers(handovers))


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
            data={**_answer(one.handover), **one.judgement.record},
        )
        for one in settled
        if one.judgement.event is not None
    ]
    DeliveryEvent.objects.bulk_create(rows, batch_size=1000, ignore_conflicts=True)


def clean(said: str) -> str:
    """Return what a server said as the database can keep it: bounded, and without the characters it cannot hold."""
    plain = said if said.isascii() else said.encode("utf-8", "replace").decode()
    return plain.replace("\x00", "").strip()[:MAX_REPLY]


def _answer(handover: Handover) -> dict[str, Any]:
    result = handover.result
    if result is None:
        return {"reason": handover.refusal}
    return {"code": result.code, "enhanced": clean(result.enhanced), "text": clean(result.text)}


def _execute(statement: str, parameters: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


# The parameters are array literals, which cost a tenth of what lists do.


def _parameters(place: Place) -> dict[str, Any]:
    return {"batch_id": place.batch_id, "chunk_number": place.chunk_number, "priority": place.priority}


def _fresh(handovers: Sequence[Handover], domain: str) -> dict[str, Any]:
    """Return what a new row gets beside its ending: names for us and for the world."""
    return {
        "uid": array_text(uuid7_texts(len(handovers))),
        "header": text_array_text(message_id_header(handover.message_id, domain) for handover in handovers),
    }


def _answers(handovers: Sequence[Handover]) -> dict[str, Any]:
    """Return what the other side said, and when."""
    results = [handover.result or _NO_RESULT for handover in handovers]
    return {
        "id": array_text([handover.message_id for handover in handovers]),
        "at": array_text([handover.at for handover in handovers]),
        "code": array_text([result.code for result in results]),
        "text": text_array_text([_said(handover) for handover in handovers]),
        "provider_id": text_array_text([clean(result.provider_id)[:255] for result in results]),
        "is_relayed": array_text([result.is_relayed for result in results]),
    }


def _endings(settled: Sequence[Settled]) -> dict[str, Any]:
    """Return the parameters of ``_ENDINGS`` but for those of new rows."""
    judgements = [one.judgement for one in settled]
    return _answers([one.handover for one in settled]) | {
        "status": array_text(judgement.status.value for judgement in judgements),
        "next_attempt_at": array_text(_date_text(judgement.next_attempt_at) for judgement in judgements),
        "safe_until": array_text(_date_text(judgement.safe_until) for judgement in judgements),
        "tries": array_text(judgement.tries for judgement in judgements),
        "is_resent": array_text(judgement.is_resent for judgement in judgements),
        "bounce_code": text_array_text(_bounce_code(one) for one in settled),
        "attempt": array_text(one.attempt for one in settled),
    }


def _date_text(at: datetime | None) -> str:
    return f'"{at}"' if at else "NULL"


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
