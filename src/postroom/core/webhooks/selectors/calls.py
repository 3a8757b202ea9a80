"""Reads of calls: the log of a webhook, and how it did by the hour."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection

from postroom.core.webhooks.errors import NoSuchCall
from postroom.core.webhooks.models import Call, Endpoint
from postroom.core.webhooks.ports import completed, writers
from postroom.core.webhooks.types import CallFilter, CallToWrite, HourCount, Shown
from postroom.core.workspaces.models import Workspace

HOURS_SHOWN: Final = 24
_MOST_COUNTED: Final = 100_000

_HOURS: Final = """
SELECT date_trunc('hour', created_at, 'UTC') AS at, count(*) FILTER (WHERE status = 'delivered'),
    count(*) FILTER (WHERE status IN ('failed', 'discarded'))
FROM (SELECT created_at, status FROM webhooks_call WHERE endpoint_id = %s AND uid >= %s
      ORDER BY uid DESC LIMIT %s) AS newest
GROUP BY 1
"""


def list_calls(*, endpoint: Endpoint, wanted: CallFilter, limit: int) -> list[Call]:
    """Return calls of a webhook, newest first, without what was said."""
    rows = Call.objects.filter(endpoint=endpoint).defer("data", "answer")
    if wanted.status:
        rows = rows.filter(status=wanted.status)
    if wanted.type:
        rows = rows.filter(type=wanted.type)
    if wanted.before is not None:
        rows = rows.filter(uid__lt=wanted.before)
    return list(rows.order_by("-uid")[:limit])


def get_call(*, endpoint: Endpoint, uid: UUID) -> Call:
    """Return a call of a webhook. Raises NoSuchCall."""
    found = Call.objects.filter(endpoint=endpoint, uid=uid).first()
    if found is None:
        raise NoSuchCall
    return found


def find_call(*, workspace: Workspace, uid: UUID) -> Call:
    """Return a call of any of the workspace's webhooks, with its webhook. Raises NoSuchCall."""
    rows = Call.objects.select_related("endpoint").filter(endpoint__workspace=workspace)
    found = rows.filter(uid=uid).first()
    if found is None:
        raise NoSuchCall
    return found


def show_call(*, call: Call, endpoint: Endpoint) -> Shown:
    """Return what the last attempt sent, or the first one will send; what would sign it is left out."""
    if endpoint.door not in writers():
        return Shown()
    written = writers()[endpoint.door].write(to_write(call, endpoint, "", call.last_attempt_at or call.created_at))
    body = json.dumps(json.loads(written.body), indent=2, ensure_ascii=False)
    return Shown({"Content-Type": "application/json", **_unsigned(written.headers), "webhook-id": call.uid.hex}, body)


def to_write(call: Call, endpoint: Endpoint, secret: str, now: datetime) -> CallToWrite:
    """Return a call as a dialect is given it; one that waits is given as its next attempt."""
    is_waiting = call.finished_at is None
    return CallToWrite(
        uid=call.uid,
        type=call.type,
        data=completed(call.type, call.data),
        attempt=call.attempts + 1 if is_waiting else max(call.attempts, 1),
        created_at=call.created_at,
        workspace_id=endpoint.workspace_id,
        endpoint_uid=endpoint.uid,
        secret=secret,
        now=now,
    )


def count_hours(*, endpoint: Endpoint, now: datetime) -> list[HourCount]:
    """Return how the last 24 hours went, the present one last; of very many calls the newest are counted."""
    last = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [last - timedelta(hours=back) for back in reversed(range(HOURS_SHOWN))]
    with connection.cursor() as cursor:
        cursor.execute(_HOURS, [endpoint.pk, earliest_uid(hours[0]), _MOST_COUNTED])
        found = {at: (good, bad) for at, good, bad in cursor.fetchall()}
    return [HourCount(at, *found.get(at, (0, 0))) for at in hours]


def earliest_uid(at: datetime) -> UUID:
    """Return the smallest UUIDv7 made at an instant or after."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def _unsigned(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if "signature" not in name.lower()}
