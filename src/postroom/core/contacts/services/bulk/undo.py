"""Takes a bulk action back, batch by batch, wherever nobody changed the same thing since."""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from postroom.core.contacts.errors import BulkOver
from postroom.core.contacts.jobs import defer_undo_bulk
from postroom.core.contacts.models import BulkChange, BulkRun
from postroom.core.contacts.selectors.bulk import get_bulk
from postroom.core.contacts.services.bulk.acts import can_undo, revert_batch
from postroom.core.contacts.services.bulk.finish import finish
from postroom.core.contacts.types import BulkKind, RunStatus
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord

_ENDED: Final = (RunStatus.DONE, RunStatus.CANCELLED, RunStatus.FAILED)


@transaction.atomic
def undo_bulk(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> None:
    """Have a job give people back what an action took or changed.

    Raises NoSuchBulk, or BulkOver when it is not at an end, is undone already, was a deletion, or is too long ago.
    """
    run = get_bulk(workspace=workspace, uid=uid)
    if not can_undo(BulkKind(run.action)):
        raise BulkOver("A deletion cannot be undone.")
    if not BulkChange.objects.filter(run=run).exists():
        raise BulkOver("There is nothing left of this change that could be undone.")
    ended = BulkRun.objects.filter(pk=run.pk, status__in=_ENDED)
    if not ended.update(status=RunStatus.UNDOING, finished_at=None, error=""):
        raise BulkOver("This change is still under way, or being undone.")
    act = AuditRecord("bulk.undo_started", "bulk", run.pk)
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    defer_undo_bulk(run_uid=run.uid)


def run_bulk_undo(*, run_uid: UUID, clock: Callable[[], datetime]) -> None:
    """Bring an undo to its end from wherever it stands; what is taken back is forgotten in the same transaction."""
    run = BulkRun.objects.select_related("workspace").get(uid=run_uid)
    while run.status == RunStatus.UNDOING:
        if not _step(run, clock()):
            finish(run, RunStatus.UNDONE, clock())
            return
        run.refresh_from_db(fields=["status"])


@transaction.atomic
def _step(run: BulkRun, now: datetime) -> bool:
    """Take the latest batch back; False when there is none left."""
    locked = BulkRun.objects.select_for_update().get(pk=run.pk)
    change = BulkChange.objects.filter(run=locked).order_by("-pk").first()
    if change is None or locked.status != RunStatus.UNDOING:
        return False
    locked.undone_rows += revert_batch(locked, change.contact_ids, change.before, now)
    locked.save(update_fields=["undone_rows"])
    change.delete()
    return True
