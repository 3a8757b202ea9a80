"""How bulk actions end, and how that is told."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from postroom.core.contacts.errors import BulkOver
from postroom.core.contacts.models import BulkRun
from postroom.core.contacts.selectors.bulk import get_bulk
from postroom.core.contacts.types import RunStatus
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord, Door
from postroom.kit.types import JSONObject

LIVE: Final = (RunStatus.QUEUED, RunStatus.RUNNING)


@transaction.atomic
def cancel_bulk(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> None:
    """Stop an action after the batch it is at; what is done stays done. Raises NoSuchBulk, or BulkOver when it is."""
    run = get_bulk(workspace=workspace, uid=uid)
    if not BulkRun.objects.filter(pk=run.pk, status__in=LIVE).update(status=RunStatus.CANCELLED, finished_at=now):
        raise BulkOver("This change has ended already.")
    act = AuditRecord("bulk.cancelled", "bulk", run.pk)
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)


def fail_bulk(*, run_uid: UUID, reason: str, now: datetime) -> None:
    """Give up an action, or its undo, whose job does not succeed; one that has ended stays as it is."""
    run = BulkRun.objects.select_related("workspace").get(uid=run_uid)
    finish(run, RunStatus.FAILED, now, error=reason)


@transaction.atomic
def finish(run: BulkRun, status: RunStatus, now: datetime, *, error: str = "") -> None:
    """End an action or its undo once, and tell it."""
    live = BulkRun.objects.filter(pk=run.pk, status__in=[*LIVE, RunStatus.UNDOING])
    if not live.update(status=status, finished_at=now, error=error[:1000]):
        return
    run.refresh_from_db(fields=["changed_rows", "undone_rows"])
    counts: JSONObject = {"action": run.action, "changed": run.changed_rows, "undone": run.undone_rows}
    act = AuditRecord(f"bulk.{_WORDS[status]}", "bulk", run.pk, after=counts)
    actor = Actor(door=Door(run.door), user_id=run.created_by_id)
    events.record_act(workspace=run.workspace, actor=actor, act=act, now=now, data=counts)


_WORDS: Final = {RunStatus.DONE: "finished", RunStatus.FAILED: "failed", RunStatus.UNDONE: "undone"}
