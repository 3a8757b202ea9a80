"""The panic stop: nothing of a workspace, or of anybody, leaves until somebody lets it; not even what is urgent."""

from datetime import datetime
from typing import Final

import structlog
from django.db import connection, transaction

from postroom.core.events import services as events
from postroom.core.mail.models import Stop
from postroom.core.mail.types import NOTIFY_QUEUE
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.notify import notify

_STOP: Final = """
INSERT INTO mail_stop (workspace_id, stopped_by_id, stopped_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""

log = structlog.get_logger(__name__)


@transaction.atomic
def stop_workspace(*, workspace: Workspace, actor: Actor, now: datetime) -> None:
    """Let nothing of a workspace leave from now on; every sender hears it within a second or two. Safe to repeat."""
    if _stop(workspace, actor, now):
        record = AuditRecord("sending.stopped", "workspace", workspace.pk)
        events.record_act(workspace=workspace, actor=actor, act=record, now=now)


@transaction.atomic
def resume_workspace(*, workspace: Workspace, actor: Actor, now: datetime) -> None:
    """Let a workspace send again what waited. Safe to repeat."""
    if _resume(workspace):
        record = AuditRecord("sending.resumed", "workspace", workspace.pk)
        events.record_act(workspace=workspace, actor=actor, act=record, now=now)


@transaction.atomic
def stop_installation(*, actor: Actor, now: datetime) -> None:
    """Let nothing leave any more, whosever it is. Safe to repeat."""
    if _stop(None, actor, now):
        _note_everywhere("installation.stopped", actor, now)


@transaction.atomic
def resume_installation(*, actor: Actor, now: datetime) -> None:
    """Let everybody send again, but for workspaces that are stopped themselves. Safe to repeat."""
    if _resume(None):
        _note_everywhere("installation.resumed", actor, now)


def _stop(workspace: Workspace | None, actor: Actor, now: datetime) -> bool:
    """Write the stop down; return whether there was none before."""
    with connection.cursor() as cursor:
        cursor.execute(_STOP, [workspace.pk if workspace else None, actor.user_id, now])
        is_new = bool(cursor.rowcount)
    log.warning("sending_stopped", workspace_id=workspace.pk if workspace else None)
    notify(NOTIFY_QUEUE)
    return is_new


def _resume(workspace: Workspace | None) -> bool:
    count, _ = Stop.objects.filter(workspace=workspace).delete()
    notify(NOTIFY_QUEUE)
    return bool(count)


def _note_everywhere(act: str, actor: Actor, now: datetime) -> None:
    """Write it down for every workspace, since each of them is concerned."""
    for workspace in Workspace.objects.select_related("organization").order_by("pk").iterator(500):
        record = AuditRecord(act, "workspace", workspace.pk)
        workspaces.record_audit(workspace=workspace, actor=actor, record=record, now=now)
