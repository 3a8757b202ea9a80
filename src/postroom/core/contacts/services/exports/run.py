"""Writes the file of an export, chunk by chunk. Unlike an import it starts over when it was killed: only the file is at
stake, and one that is half of yesterday and half of today would be none.
"""

import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import IO, Final
from uuid import UUID

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, QuerySet

from postroom.core.contacts import rules
from postroom.core.contacts.errors import BadExport, BadFilter, BadValue, NoSuchSegment
from postroom.core.contacts.models import ExportRun
from postroom.core.contacts.selectors.export_rows import PeopleReader
from postroom.core.contacts.selectors.selections import select_people
from postroom.core.contacts.services.exports.sheets import MAX_XLSX_ROWS, Sheet, open_sheet
from postroom.core.contacts.types import ExportFormat, RunStatus
from postroom.core.events import services as events
from postroom.core.workspaces.types import Actor, AuditRecord, Door

CHUNK_SIZE: Final = 5_000
KEPT_FOR: Final = timedelta(days=7)


def run_export(*, run_uid: UUID, clock: Callable[[], datetime]) -> None:
    """Bring an export to its end, from the beginning also when a killed worker left half a file."""
    run = ExportRun.objects.select_related("workspace").get(uid=run_uid)
    while run.status in {RunStatus.QUEUED, RunStatus.RUNNING}:
        try:
            _run(run, clock)
        except (BadExport, BadFilter, BadValue, NoSuchSegment) as error:
            _fail(run, error.message, clock())
        run.refresh_from_db()
        if run.status != RunStatus.QUEUED:  # an erasure puts it back, so that the file is made anew without the person
            return


def fail_export(*, run_uid: UUID, reason: str, now: datetime) -> None:
    """Give up an export whose job does not succeed; one that has ended stays as it is."""
    run = ExportRun.objects.select_related("workspace").get(uid=run_uid)
    _fail(run, reason, now)


def _run(run: ExportRun, clock: Callable[[], datetime]) -> None:
    """Write the whole file, unless somebody else takes over or calls it off meanwhile."""
    people = select_people(workspace=run.workspace, selection=rules.parse_selection(run.selection))
    # An order that no index has: walking one, the planner goes wrong with people that came since the last ANALYZE
    # (20,000 of them: 13 s instead of 0.1 s).
    ids = people.order_by(F("pk") + 0).values_list("pk", flat=True)
    _begin(run, people.count(), clock())
    with tempfile.TemporaryFile() as file:  # without a name: a killed worker leaves nothing behind
        sheet = open_sheet(ExportFormat(run.format), file)
        if _write(run, ids.iterator(CHUNK_SIZE), sheet):
            sheet.close()
            _store(run, file, clock())


def _begin(run: ExportRun, total: int, now: datetime) -> None:
    if run.format == ExportFormat.XLSX and total > MAX_XLSX_ROWS:
        raise BadExport(f"{total:,} people do not fit on one sheet, which holds {MAX_XLSX_ROWS:,}: take CSV.")
    default_storage.delete(_name(run))
    run.processed_rows, run.total_rows, run.started_at = 0, total, now
    live = ExportRun.objects.filter(pk=run.pk, status__in=[RunStatus.QUEUED, RunStatus.RUNNING])
    live.update(status=RunStatus.RUNNING, processed_rows=0, total_rows=total, started_at=now)


def _write(run: ExportRun, ids: Iterator[int], sheet: Sheet) -> bool:
    """Write header and people; False when the export is not ours any more."""
    reader = PeopleReader(workspace=run.workspace)
    sheet.write(reader.headers)
    while chunk := list(islice(ids, CHUNK_SIZE)):
        for row in reader.read(chunk):
            sheet.write(row)
        if not _mine(run).update(processed_rows=run.processed_rows + len(chunk)):
            return False
        run.processed_rows += len(chunk)
    return True


def _store(run: ExportRun, file: IO[bytes], now: datetime) -> None:
    """Hand the file over: stored first, then named, so that no row ever names a file that is not whole."""
    size = file.tell()
    file.seek(0)
    stored = default_storage.save(_name(run), File(file))
    with transaction.atomic():
        is_mine = _mine(run).update(
            status=RunStatus.DONE, finished_at=now, file=stored, file_size=size, expires_at=now + KEPT_FOR
        )
        if is_mine:
            _tell(run, "export.finished", now)
    if not is_mine:
        default_storage.delete(stored)


@transaction.atomic
def _fail(run: ExportRun, reason: str, now: datetime) -> None:
    live = ExportRun.objects.filter(pk=run.pk, status__in=[RunStatus.QUEUED, RunStatus.RUNNING])
    if live.update(status=RunStatus.FAILED, finished_at=now, error=reason[:1000]):
        default_storage.delete(_name(run))
        _tell(run, "export.failed", now)


def _tell(run: ExportRun, what: str, now: datetime) -> None:
    actor = Actor(door=Door(run.door), user_id=run.created_by_id)
    act = AuditRecord(what, "export", run.pk)
    events.record_act(workspace=run.workspace, actor=actor, act=act, now=now, data={"rows": run.processed_rows})


def _mine(run: ExportRun) -> QuerySet[ExportRun]:
    """The row, if it still stands where this runner left it."""
    return ExportRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING, processed_rows=run.processed_rows)


def _name(run: ExportRun) -> str:
    return f"exports/{run.uid}.{run.format}"
