"""Undoes an import: deletes the people it brought whom nobody has touched since, batch by batch."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from postroom.core.contacts.errors import ImportOver
from postroom.core.contacts.jobs import defer_undo_import
from postroom.core.contacts.models import Contact, ImportBatch, ImportRun
from postroom.core.contacts.selectors.import_undo import judge_people
from postroom.core.contacts.selectors.imports import get_import
from postroom.core.contacts.services.departures import remove_people
from postroom.core.contacts.types import ImportStatus, KeptBy
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord, Door
from postroom.kit.types import JSONObject

_ENDED: Final = (ImportStatus.DONE, ImportStatus.FAILED, ImportStatus.CANCELLED)


@transaction.atomic
def undo_import(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> ImportRun:
    """Have a job delete the people an import brought, except whom somebody changed or mailed since, or who are in
    another workspace as well. What it changed of people who were there before stays.

    Raises NoSuchImport, or ImportOver when it has not ended, brought nobody, or is undone already.
    """
    run = get_import(workspace=workspace, uid=uid)
    if not ImportBatch.objects.filter(run=run, is_undone=False).exists():
        raise ImportOver("This import brought nobody who could be taken out again.")
    if not ImportRun.objects.filter(pk=run.pk, status__in=_ENDED).update(status=ImportStatus.UNDOING, error=""):
        raise ImportOver("This import is still under way, or being undone.")
    act = AuditRecord("import.undo_started", "import", run.pk)
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    defer_undo_import(run_uid=run.uid)
    run.refresh_from_db()
    return run


def run_import_undo(*, run_uid: UUID, clock: Callable[[], datetime]) -> None:
    """Bring an undo to its end from wherever it stands; a batch and its counts commit together."""
    run = ImportRun.objects.select_related("workspace").get(uid=run_uid)
    while _undo_batch(run, clock()):
        pass
    _end(run, ImportStatus.UNDONE, clock())


def fail_import_undo(*, run_uid: UUID, reason: str, now: datetime) -> None:
    """Give up an undo whose job does not succeed; it can be asked for again, and goes on where it stood."""
    run = ImportRun.objects.select_related("workspace").get(uid=run_uid)
    _end(run, ImportStatus.DONE, now, error=f"The undo stopped: {reason}")


@transaction.atomic
def _undo_batch(run: ImportRun, now: datetime) -> bool:
    """Take the people of the latest batch out; False when there is none left."""
    locked = ImportRun.objects.select_for_update().get(pk=run.pk)
    batch = ImportBatch.objects.filter(run=run, is_undone=False).order_by("-first_row").first()
    if batch is None or locked.status != ImportStatus.UNDOING:
        return False
    people = list(
        Contact.objects.filter(pk__in=batch.created_ids).order_by("pk").select_for_update().defer("search", "custom")
    )
    reasons = judge_people(run=run, contact_ids=[one.pk for one in people])
    going = [one for one in people if reasons[one.pk] is None]
    remove_people(workspace=run.workspace, people=going, now=now)
    kept = Counter(locked.kept_rows) + Counter(reason.value for reason in reasons.values() if reason)
    locked.kept_rows = dict(kept)
    locked.undone_rows += len(batch.created_ids) - len(people) + len(going)
    locked.save(update_fields=["kept_rows", "undone_rows"])
    ImportBatch.objects.filter(pk=batch.pk).update(is_undone=True, created_ids=[])
    return True


@transaction.atomic
def _end(run: ImportRun, status: ImportStatus, now: datetime, *, error: str = "") -> None:
    undoing = ImportRun.objects.select_for_update().filter(pk=run.pk, status=ImportStatus.UNDOING).first()
    if undoing is None:
        return
    undoing.status = status
    undoing.error = (error or _summary(undoing))[:1000]
    undoing.save(update_fields=["status", "error"])
    counts: JSONObject = {"deleted": undoing.undone_rows, "kept": dict(undoing.kept_rows)}
    act = AuditRecord("import.undone" if not error else "import.undo_failed", "import", run.pk, after=counts)
    actor = Actor(door=Door(run.door), user_id=run.created_by_id)
    events.record_act(workspace=run.workspace, actor=actor, act=act, now=now, data=counts)


def _summary(run: ImportRun) -> str:
    """Say who stayed and why; nothing when nobody did."""
    if not run.kept_rows:
        return ""
    reasons = ", ".join(f"{many:,} {KeptBy(reason).label}" for reason, many in sorted(run.kept_rows.items()))
    count = sum(run.kept_rows.values())
    return f"{count:,} {'person stays' if count == 1 else 'people stay'}: {reasons}."
