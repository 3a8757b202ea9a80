"""Limits as people set and remove them."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from postroom.core.events import services as events
from postroom.core.mail.models import Limit, LimitUse, LimitWait
from postroom.core.mail.rules.limit_terms import check_new_limit, say_limit
from postroom.core.mail.selectors.domains import get_domain_by_id
from postroom.core.mail.selectors.limits import get_limit, terms_of
from postroom.core.mail.selectors.senders import get_sender
from postroom.core.mail.types import NOTIFY_QUEUE, NewLimit
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.notify import notify
from postroom.kit.types import JSONObject

_MARK: Final = """
UPDATE mail_senderaccount s SET is_limited = EXISTS (
    SELECT FROM mail_limit l WHERE l.workspace_id = s.workspace_id
        AND (l.sender_id IS NULL OR l.sender_id IN (s.id, s.carrier_id))
        AND (l.domain_id IS NULL OR l.domain_id = s.domain_id))
WHERE s.workspace_id = %s
"""


@transaction.atomic
def set_limit(*, workspace: Workspace, new: NewLimit, actor: Actor, now: datetime, uid: UUID | None = None) -> Limit:
    """Set a limit, or change the one of ``uid``; one that counts something else than before begins anew.

    Raises BadLimit or BadDomain, NoSuchLimit, and NoSuchSender or NoSuchDomain for a foreign one.
    """
    destination = check_new_limit(new)
    limit = get_limit(workspace=workspace, uid=uid) if uid else Limit(workspace=workspace, created_at=now)
    before = _plain(limit) if uid else None
    counted = (limit.sender_id, limit.domain_id, limit.destination, limit.per)
    limit.sender = get_sender(workspace=workspace, sender_id=new.sender_id) if new.sender_id else None
    limit.domain = get_domain_by_id(workspace=workspace, domain_id=new.domain_id) if new.domain_id else None
    limit.destination, limit.most, limit.per = destination, new.most, new.per
    limit.days, limit.zone = sorted(set(new.days)), new.zone
    limit.opens_at, limit.closes_at = new.opens_at, new.closes_at
    limit.save()
    if uid is None or counted != (limit.sender_id, limit.domain_id, destination, new.per):
        LimitUse.objects.update_or_create(limit=limit, defaults={"newest": 0, "counts": [], "paced_at": 0.0})
    _note(limit, "limit.changed" if uid else "limit.set", actor, now, before=before, after=_plain(limit))
    mark_limited(workspace=workspace)
    return limit


@transaction.atomic
def remove_limit(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> None:
    """Remove a limit. Raises NoSuchLimit."""
    limit = get_limit(workspace=workspace, uid=uid)
    _note(limit, "limit.removed", actor, now, before=_plain(limit))
    limit.delete()
    mark_limited(workspace=workspace)


def mark_limited(*, workspace: Workspace) -> None:
    """Mark the accounts that something limits, so that all others need not ask, and have all limits asked again."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK, [workspace.pk])
    LimitWait.objects.filter(sender__workspace=workspace).delete()
    notify(NOTIFY_QUEUE)


def _note(
    limit: Limit,
    act: str,
    actor: Actor,
    now: datetime,
    *,
    before: JSONObject | None = None,
    after: JSONObject | None = None,
) -> None:
    record = AuditRecord(act, "limit", limit.pk, before=before, after=after)
    events.record_act(workspace=limit.workspace, actor=actor, act=record, now=now, data={"limit": str(limit.uid)})


def _plain(limit: Limit) -> JSONObject:
    return {
        "sender": limit.sender_id,
        "domain": limit.domain_id,
        "destination": limit.destination,
        "terms": say_limit(terms_of(limit)),
    }
