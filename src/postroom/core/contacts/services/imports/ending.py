"""Ends an import, once: done, failed or cancelled."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef

from postroom.core.contacts.errors import ImportOver
from postroom.core.contacts.models import ImportRun, List, ListMember
from postroom.core.contacts.selectors.imports import get_import
from postroom.core.contacts.services.confirmations import ask_confirmations
from postroom.core.contacts.services.imports.target import source_of
from postroom.core.contacts.types import ImportStatus, MemberStatus
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord, Door
from postroom.kit.types import JSONObject

_UNFINISHED: Final = (ImportStatus.QUEUED, ImportStatus.RUNNING)
_ACTS: Final = {
    ImportStatus.DONE: "import.finished",
    ImportStatus.FAILED: "import.failed",
    ImportStatus.CANCELLED: "import.cancelled",
}


@transaction.atomic
def cancel_import(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> ImportRun:
    """Stop an import after the batch it is at; what is merged stays merged.

    Raises NoSuchImport, or ImportOver when it has ended.
    """
    run = get_import(workspace=workspace, uid=uid)
    if not end_import(run, ImportStatus.CANCELLED, now=now, actor=actor):
        raise ImportOver("This import has ended already.")
    run.refresh_from_db()
    return run


@transaction.atomic
def end_import(
    run: ImportRun, status: ImportStatus, *, now: datetime, error: str = "", actor: Actor | None = None
) -> bool:
    """End the import once, and tell it; its file, all personal data, has served. Return whether it was still open."""
    unfinished = ImportRun.objects.filter(pk=run.pk, status__in=_UNFINISHED)
    if not unfinished.update(status=status, finished_at=now, error=error[:1000]):
        return False
    run.refresh_from_db(fields=["created_rows", "updated_rows", "skipped_rows", "error_rows"])
    counts: JSONObject = {
        "created": run.created_rows,
        "updated": run.updated_rows,
        "skipped": run.skipped_rows,
        "errors": run.error_rows,
    }
    actor = actor or Actor(door=Door(run.door), user_id=run.created_by_id)
    act = AuditRecord(_ACTS[status], "import", run.pk)
    events.record_act(workspace=run.workspace, actor=actor, act=act, now=now, data=counts)
    if status is ImportStatus.DONE:
        _ask_to_confirm(run, actor, now)
    transaction.on_commit(lambda: default_storage.delete(run.file))
    return True


def _ask_to_confirm(run: ImportRun, actor: Actor, now: datetime) -> None:
    """Ask whoever came onto lists whose people confirm themselves, by the mapping or by what their row says."""
    unasked = ListMember.objects.filter(status=MemberStatus.PENDING, confirmation_sent_at=None)
    brought = unasked.filter(list=OuterRef("pk"), source=source_of(run))
    for list_ in List.objects.filter(Exists(brought), workspace=run.workspace, is_double_opt_in=True):
        ask_confirmations(workspace=run.workspace, list_id=list_.pk, actor=actor, now=now)
