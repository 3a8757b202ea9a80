"""What people do about calls: try a webhook out, send again what went wrong. And forgetting what is old."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from postroom.core.events import services as events
from postroom.core.webhooks.errors import CallState, EndpointState
from postroom.core.webhooks.models import Call, Endpoint
from postroom.core.webhooks.selectors.calls import earliest_uid, get_call
from postroom.core.webhooks.selectors.endpoints import lock_endpoint
from postroom.core.webhooks.types import NOTIFY_CALLS, TEST_EVENT, CallStatus, EndpointStatus
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.notify import notify
from postroom.kit.types import JSONObject

KEPT_FOR: Final = timedelta(days=30)
_FORGOTTEN_AT_ONCE: Final = 50_000
_BAD: Final = (CallStatus.FAILED, CallStatus.DISCARDED)

_FORGET: Final = """
DELETE FROM webhooks_call WHERE uid IN (SELECT uid FROM webhooks_call WHERE uid < %s ORDER BY uid LIMIT %s)
"""


@transaction.atomic
def test_endpoint(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> Call:
    """Have a webhook called with a test event. Raises NoSuchEndpoint; EndpointState unless it is active."""
    endpoint = _lock_active(workspace, uid)
    data: JSONObject = {"webhook": str(endpoint.uid), "sent_at": now.isoformat()}
    call = Call.objects.create(endpoint=endpoint, type=TEST_EVENT, data=data, next_attempt_at=now, created_at=now)
    _record(endpoint, "webhook.tested", actor, now, {})
    notify(NOTIFY_CALLS)
    return call


@transaction.atomic
def replay_call(*, workspace: Workspace, uid: UUID, call_uid: UUID, actor: Actor, now: datetime) -> Call:
    """Make a call once more from the beginning, under the same id. Raises NoSuchEndpoint, NoSuchCall; EndpointState
    unless the webhook is active, CallState while the call is under way.
    """
    endpoint = _lock_active(workspace, uid)
    call = get_call(endpoint=endpoint, uid=call_uid)
    if call.status == CallStatus.IN_PROGRESS:
        raise CallState("This call is being made just now.")
    call.status, call.attempts, call.next_attempt_at, call.finished_at = CallStatus.PENDING, 0, now, None
    call.save(update_fields=["status", "attempts", "next_attempt_at", "finished_at"])
    _record(endpoint, "webhook.call_replayed", actor, now, {"call": str(call.uid)})
    notify(NOTIFY_CALLS)
    return call


@transaction.atomic
def replay_failed(*, workspace: Workspace, uid: UUID, since: datetime, actor: Actor, now: datetime) -> int:
    """Make every call once more that failed or was discarded since an instant; return how many.

    Raises NoSuchEndpoint; EndpointState unless the webhook is active.
    """
    endpoint = _lock_active(workspace, uid)
    bad = Call.objects.filter(endpoint_id=endpoint.pk, status__in=_BAD, uid__gte=earliest_uid(since))
    count = bad.update(status=CallStatus.PENDING, attempts=0, next_attempt_at=now, finished_at=None)
    if count:
        _record(endpoint, "webhook.calls_replayed", actor, now, {"calls": count, "since": since.isoformat()})
        notify(NOTIFY_CALLS)
    return count


def forget_calls(*, now: datetime) -> int:
    """Delete calls that are past their time, some at once; return how many. Safe to repeat."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [earliest_uid(now - KEPT_FOR), _FORGOTTEN_AT_ONCE])
        return int(cursor.rowcount)


def _lock_active(workspace: Workspace, uid: UUID) -> Endpoint:
    endpoint = lock_endpoint(workspace=workspace, uid=uid)
    if endpoint.status != EndpointStatus.ACTIVE:
        raise EndpointState("This webhook is not active: switch it on first.", status=endpoint.status)
    return endpoint


def _record(endpoint: Endpoint, act: str, actor: Actor, now: datetime, after: JSONObject) -> None:
    record = AuditRecord(act, "webhook", endpoint.pk, after=after)
    events.record_act(workspace=endpoint.workspace, actor=actor, act=record, now=now)
