"""The turns of a deliverer: it books what was answered and takes the next calls, one for each webhook at a time.

A webhook is leased with its call, so no other deliverer speaks to it meanwhile; who dies holding one loses it when the
lease ends, and the call is made again under the same id.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.db import connection, transaction

from postroom.core.events import services as events
from postroom.core.events.types import NewEvent
from postroom.core.webhooks.models import ANSWER_KEPT, Call, Endpoint
from postroom.core.webhooks.ports import writers
from postroom.core.webhooks.rules.schedules import judge, terms_of
from postroom.core.webhooks.rules.signing import standard_headers
from postroom.core.webhooks.selectors.calls import to_write
from postroom.core.webhooks.selectors.ears import forget_ears
from postroom.core.webhooks.selectors.endpoints import secrets_of
from postroom.core.webhooks.services.endpoints import discard_waiting
from postroom.core.webhooks.types import Answer, Delivery
from postroom.kit.types import JSONValue

log = structlog.get_logger(__name__)

LEASE: Final = timedelta(seconds=30)
"""Longer than any answer is waited for."""

_ANSWERS: Final = """
json_to_recordset(%(answers)s::json) AS x (uid uuid, endpoint_id bigint, at timestamptz, status text,
    next_attempt_at timestamptz, code int, answer text, error text, duration_ms int, is_good boolean,
    is_exhausted boolean, is_gone boolean, most_failures int, patience interval)
"""

_RELEASE: Final = f"""
UPDATE webhooks_endpoint e SET owner = '', leased_until = NULL, last_code = x.code, last_error = x.error,
    failures = CASE WHEN x.is_good THEN 0 ELSE e.failures + x.is_exhausted::int END,
    failing_since = CASE WHEN x.is_good THEN NULL ELSE coalesce(e.failing_since, x.at) END,
    last_success_at = CASE WHEN x.is_good THEN x.at ELSE e.last_success_at END,
    last_failure_at = CASE WHEN x.is_good THEN e.last_failure_at ELSE x.at END,
    status = CASE WHEN e.status = 'active' AND {{is_over}} THEN 'disabled' ELSE e.status END,
    disabled_at = CASE WHEN e.status = 'active' AND {{is_over}} THEN x.at ELSE e.disabled_at END
FROM {_ANSWERS}
WHERE e.id = x.endpoint_id AND e.owner = %(owner)s
RETURNING e.id, e.status = 'disabled' AND e.disabled_at = x.at, x.is_exhausted AND e.failures = 1
""".format(  # noqa: S608 - made of constants
    is_over="""(NOT x.is_good AND (x.is_gone
        OR x.most_failures > 0 AND x.is_exhausted AND e.failures + 1 >= x.most_failures
        OR x.patience > '0' AND e.failing_since <= x.at - x.patience))"""
)

# What was still to be tried again is not, where the webhook was paused or switched off meanwhile.
_BOOK: Final = f"""
UPDATE webhooks_call c SET attempts = c.attempts + 1, last_attempt_at = x.at, response_code = nullif(x.code, 0),
    answer = x.answer, error = x.error, duration_ms = x.duration_ms,
    status = CASE WHEN x.status = 'pending' AND e.status <> 'active' THEN 'discarded' ELSE x.status END,
    next_attempt_at = CASE WHEN e.status = 'active' THEN x.next_attempt_at END,
    finished_at = CASE WHEN x.status <> 'pending' OR e.status <> 'active' THEN x.at END
FROM {_ANSWERS} JOIN webhooks_endpoint e ON e.id = x.endpoint_id
WHERE c.uid = x.uid AND c.endpoint_id = e.id AND c.status = 'in_progress' AND e.id = ANY(%(held)s)
"""  # noqa: S608 - made of constants

# The oldest wait of a webhook comes first, and what failed before anything new: a webhook that hangs is found out soon.
_CLAIM: Final = """
WITH lane AS (
    SELECT e.id FROM webhooks_endpoint e
    WHERE e.status = 'active' AND (e.leased_until IS NULL OR e.leased_until <= %(now)s) AND EXISTS (
        SELECT FROM webhooks_call c WHERE c.endpoint_id = e.id AND c.status IN ('pending', 'in_progress')
            AND c.next_attempt_at <= %(now)s)
    ORDER BY e.served_at NULLS FIRST, e.id LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED
), due AS (
    SELECT lane.id AS endpoint_id, c.uid FROM lane CROSS JOIN LATERAL (
        SELECT c.uid FROM webhooks_call c
        WHERE c.endpoint_id = lane.id AND c.status IN ('pending', 'in_progress') AND c.next_attempt_at <= %(now)s
        ORDER BY c.attempts DESC, c.next_attempt_at LIMIT 1
    ) c
), held AS (
    UPDATE webhooks_endpoint e SET owner = %(owner)s, leased_until = %(until)s, served_at = %(now)s
    FROM due WHERE e.id = due.endpoint_id
)
UPDATE webhooks_call c SET status = 'in_progress', next_attempt_at = %(until)s
FROM due WHERE c.uid = due.uid RETURNING c.uid
"""


def take_turn(
    *, owner: str, answers: Sequence[Answer], most: int, now: datetime, lease: timedelta = LEASE
) -> list[Delivery]:
    """Book answers, then take up to ``most`` calls that are due, each of another webhook. Safe in many processes.

    ``owner`` names the deliverer among all of them. An answer that comes after its lease counts no more.
    """
    book_answers(owner=owner, answers=answers, now=now)
    if most <= 0:
        return []
    uids = _claim(owner, most, now, now + lease)
    calls = Call.objects.filter(pk__in=uids).select_related("endpoint") if uids else []
    return [delivery for call in calls if (delivery := _prepare(call, owner, now)) is not None]


@transaction.atomic
def book_answers(*, owner: str, answers: Sequence[Answer], now: datetime) -> None:
    """Write down what was answered, and what follows for call and webhook; one that only ever fails is switched off."""
    if not answers:
        return
    values: dict[str, Any] = {"owner": owner, "answers": json.dumps([_row(one) for one in answers])}
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, values)
        released = cursor.fetchall()
        values["held"] = [pk for pk, _, _ in released]
        cursor.execute(_BOOK, values)
    _tell_of({pk for pk, _, is_failing in released if is_failing}, "webhook.failing", now)
    if off := {pk for pk, is_off, _ in released if is_off}:
        discard_waiting(endpoint_ids=off, now=now)
        _tell_of(off, "webhook.disabled", now)
        transaction.on_commit(forget_ears)


def _claim(owner: str, most: int, now: datetime, until: datetime) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"owner": owner, "most": most, "now": now, "until": until})
        return [uid for (uid,) in cursor.fetchall()]


def _prepare(call: Call, owner: str, now: datetime) -> Delivery | None:
    """Return what to send; a call that cannot be written down fails by itself and delays nobody."""
    endpoint = call.endpoint
    base: dict[str, Any] = {
        "uid": call.uid,
        "endpoint_id": endpoint.pk,
        "attempts": call.attempts,
        "door": endpoint.door,
    }
    try:
        secrets = secrets_of(endpoint, now)
        written = writers()[endpoint.door].write(to_write(call, endpoint, secrets[0], now))
    except Exception as error:
        # Not the whole traceback: it would show secrets and people.
        log.error("webhook_call_not_written", call=str(call.uid), type=call.type, error=type(error).__name__)
        empty = Delivery(**base, url="", headers={}, body=b"", deadline_s=0)
        failed = Answer(empty, now, error=f"The call could not be written down: {type(error).__name__}.")
        book_answers(owner=owner, answers=[failed], now=now)
        return None
    headers = {
        "Content-Type": "application/json",
        **written.headers,
        **standard_headers(secrets, call.uid.hex, now, written.body),
    }
    deadline_s = terms_of(endpoint.door).deadline_s
    return Delivery(**base, url=endpoint.url, headers=headers, body=written.body, deadline_s=deadline_s)


def _row(answer: Answer) -> dict[str, JSONValue]:
    verdict, terms = judge(answer), terms_of(answer.delivery.door)
    return {
        "uid": str(answer.delivery.uid),
        "endpoint_id": answer.delivery.endpoint_id,
        "at": answer.at.isoformat(),
        "status": verdict.status.value,
        "next_attempt_at": verdict.next_attempt_at.isoformat() if verdict.next_attempt_at else None,
        "code": answer.code,
        "answer": answer.text.replace("\0", "")[:ANSWER_KEPT],
        "error": answer.error.replace("\0", "")[:500],
        "duration_ms": answer.duration_ms,
        "is_good": verdict.is_good,
        "is_exhausted": verdict.is_exhausted,
        "is_gone": verdict.is_gone,
        "most_failures": terms.off_after_calls,
        "patience": f"{int(terms.off_after.total_seconds())} seconds",
    }


def _tell_of(endpoint_ids: set[int], name: str, now: datetime) -> None:
    rows = Endpoint.objects.filter(pk__in=endpoint_ids).select_related("workspace") if endpoint_ids else []
    for endpoint in rows:
        log.warning(name.replace(".", "_"), endpoint_id=endpoint.pk, workspace_id=endpoint.workspace_id)
        event = NewEvent(name, "webhook", endpoint.pk, data={"webhook": str(endpoint.uid)})
        events.record_event(workspace=endpoint.workspace, event=event, now=now)
