"""What becomes of an export: called off, fetched, forgotten."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import transaction

from postroom.core.contacts.errors import ExportGone, ExportOver
from postroom.core.contacts.models import ExportRun
from postroom.core.contacts.selectors.exports import get_export, is_export_ready
from postroom.core.contacts.types import RunStatus
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord

RECORD_KEPT_FOR: Final = timedelta(days=90)
_LIVE: Final = (RunStatus.QUEUED, RunStatus.RUNNING)


@transaction.atomic
def cancel_export(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> None:
    """Call an export off; its file is not made. Raises NoSuchExport, or ExportOver when it has ended."""
    run = get_export(workspace=workspace, uid=uid)
    live = ExportRun.objects.filter(pk=run.pk, status__in=_LIVE)
    if not live.update(status=RunStatus.CANCELLED, finished_at=now):
        raise ExportOver
    act = AuditRecord("export.cancelled", "export", run.pk)
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)


@transaction.atomic
def fetch_export(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> ExportRun:
    """Return an export whose file is there, and write down who took it. Raises NoSuchExport or ExportGone."""
    run = get_export(workspace=workspace, uid=uid)
    if not is_export_ready(run, now=now):
        raise ExportGone
    act = AuditRecord("export.downloaded", "export", run.pk)
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    return run


def forget_old_exports(*, now: datetime, limit: int = 100) -> int:
    """Delete files that are past their time, and records long after; return how many files went."""
    old = ExportRun.objects.exclude(file="").filter(expires_at__lte=now).order_by("pk")[:limit]
    for run in old:
        default_storage.delete(run.file)
        ExportRun.objects.filter(pk=run.pk).update(file="")
    ExportRun.objects.filter(created_at__lte=now - RECORD_KEPT_FOR, file="").exclude(status__in=_LIVE).delete()
    return len(old)
