"""Merges a stored file batch by batch. Each batch and its counts commit together, so a killed run goes on at the last
edge; a second runner finds the edge moved and leaves.
"""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import IO, Final, cast
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import connection, transaction

from postroom.core.contacts.errors import BadImport, BadRow
from postroom.core.contacts.models import ImportRun
from postroom.core.contacts.rules.csv_files import BrokenRow, Row, read_header, read_rows
from postroom.core.contacts.rules.import_rows import RowReader
from postroom.core.contacts.selectors.fields import list_field_specs
from postroom.core.contacts.services.imports.merge import GoodRow, MergeTarget, merge_rows
from postroom.core.contacts.services.imports.read_ahead import read_ahead
from postroom.core.contacts.types import CsvFormat, ImportMapping, ImportStatus
from postroom.core.events import services as events
from postroom.core.workspaces.types import Actor, AuditRecord, Door
from postroom.kit.copy import copy_rows
from postroom.kit.types import JSONObject

BATCH_SIZE: Final = 2_500
BATCH_WEIGHT: Final = 4_000_000
_RAW_LENGTH: Final = 2_000

Numbered = tuple[int, Row | BrokenRow]


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that cannot become a contact."""

    number: int
    error: BadRow
    raw: str


@dataclass(slots=True)
class Batch:
    """Rows of the file, read and judged, before the database sees them; ``weight`` is their length in characters."""

    size: int = 0
    weight: int = 0
    good: list[GoodRow] = field(default_factory=list)
    bad: list[Problem] = field(default_factory=list)


def run_import(*, run_uid: UUID, clock: Callable[[], datetime]) -> None:
    """Bring an import to its end from wherever it stands; running it twice, or two at once, counts nothing twice."""
    run = ImportRun.objects.select_related("workspace").get(uid=run_uid)
    if run.status in {ImportStatus.DONE, ImportStatus.FAILED}:
        return
    try:
        with default_storage.open(run.file, "rb") as file:
            is_complete = _run(run, cast(IO[bytes], file), clock)
    except (BadImport, FileNotFoundError, UnicodeError) as error:
        reason = error.message if isinstance(error, BadImport) else "The stored file cannot be read."
        _finish(run, ImportStatus.FAILED, clock(), error=reason)
        return
    if is_complete:
        _count_for_the_planner()
        _finish(run, ImportStatus.DONE, clock())


def fail_import(*, run_uid: UUID, reason: str, now: datetime) -> None:
    """Give up an import whose job does not succeed; one that has ended stays as it is. What is merged stays merged."""
    run = ImportRun.objects.select_related("workspace").get(uid=run_uid)
    _finish(run, ImportStatus.FAILED, now, error=reason)


def _run(run: ImportRun, file: IO[bytes], clock: Callable[[], datetime]) -> bool:
    """Merge what is left of the file; False when another runner has taken over."""
    format_ = CsvFormat(encoding=run.encoding, delimiter=run.delimiter)
    _begin(run, file, format_, clock())
    file.seek(0)
    rows = read_rows(file, format_)
    mapping = _mapping(run)
    reader = RowReader(read_header(rows), mapping, list_field_specs(workspace=run.workspace))
    position = run.processed_rows
    numbered = islice(enumerate(rows, start=1), position, None)
    for batch in read_ahead(_batches(numbered, reader, run.delimiter)):
        target = MergeTarget(run.pk, run.workspace, mapping, source=f"import {run.filename}"[:60], now=clock())
        if not _merge_batch(position, batch, target):
            return False
        position += batch.size
    return True


def _count_for_the_planner() -> None:
    """Have the planner look at the people now, not when autovacuum comes by: a campaign often starts right away."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE contacts_contact, contacts_contactworkspace, contacts_contacttag, contacts_listmember")


def _begin(run: ImportRun, file: IO[bytes], format_: CsvFormat, now: datetime) -> None:
    """Count the rows once, so that progress can be shown, and say that the import runs."""
    if run.total_rows is None:
        run.total_rows = max(0, sum(1 for _ in read_rows(file, format_)) - 1)
    ImportRun.objects.filter(pk=run.pk, status=ImportStatus.QUEUED).update(
        status=ImportStatus.RUNNING, started_at=now, total_rows=run.total_rows
    )


def _batches(numbered: Iterator[Numbered], reader: RowReader, delimiter: str) -> Iterator[Batch]:
    """Yield the rows read and judged, so many at a time, or fewer when they are long."""
    batch = Batch()
    for number, row in numbered:
        try:
            batch.good.append((number, reader.read(_cells(row))))
        except BadRow as error:
            batch.bad.append(Problem(number, error, _raw(row, delimiter)))
        batch.size += 1
        batch.weight += sum(map(len, row)) if isinstance(row, list) else 0
        if batch.size >= BATCH_SIZE or batch.weight >= BATCH_WEIGHT:
            yield batch
            batch = Batch()
    if batch.size:
        yield batch


@transaction.atomic
def _merge_batch(position: int, batch: Batch, target: MergeTarget) -> bool:
    """Merge one batch and count it, if the import still stands at ``position``."""
    run = ImportRun.objects.select_for_update().get(pk=target.run_id)
    if run.processed_rows != position or run.status != ImportStatus.RUNNING:
        return False
    merged = merge_rows(batch.good, target)
    bad = [*batch.bad, *(Problem(number, error, "") for number, error in merged.refused)]
    _keep_errors(run, bad)
    run.processed_rows += batch.size
    run.error_rows += len(bad)
    run.created_rows += merged.created
    run.updated_rows += batch.size - len(bad) - merged.created
    run.save(update_fields=["processed_rows", "error_rows", "created_rows", "updated_rows"])
    return True


def _cells(row: Row | BrokenRow) -> Row:
    if isinstance(row, BrokenRow):
        raise BadRow(row.reason)
    return row


def _keep_errors(run: ImportRun, bad: list[Problem]) -> None:
    lines = ((run.pk, one.number, one.error.column[:200], _storable(one.error.message)[:500], one.raw) for one in bad)
    if bad:
        copy_rows("contacts_importrowerror", ("run_id", "row_number", "column", "reason", "raw"), lines)


def _raw(row: Row | BrokenRow, delimiter: str) -> str:
    """The row as CSV again, cut to what a person needs to find it."""
    if isinstance(row, BrokenRow):
        return ""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="").writerow([cell[:_RAW_LENGTH] for cell in row])
    return _storable(text.getvalue())[:_RAW_LENGTH]


def _storable(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _mapping(run: ImportRun) -> ImportMapping:
    stored = run.mapping
    return ImportMapping(columns=stored["columns"], tags=tuple(stored["tags"]), list_id=stored["list_id"])


@transaction.atomic
def _finish(run: ImportRun, status: ImportStatus, now: datetime, *, error: str = "") -> None:
    """End the import once, and tell it; its file, all personal data, has served."""
    unfinished = ImportRun.objects.filter(pk=run.pk, status__in=[ImportStatus.QUEUED, ImportStatus.RUNNING])
    if not unfinished.update(status=status, finished_at=now, error=error[:1000]):
        return
    run.refresh_from_db(fields=["created_rows", "updated_rows", "error_rows"])
    counts: JSONObject = {"created": run.created_rows, "updated": run.updated_rows, "errors": run.error_rows}
    act = AuditRecord(f"import.{'finished' if status is ImportStatus.DONE else 'failed'}", "import", run.pk)
    actor = Actor(door=Door(run.door), user_id=run.created_by_id)
    events.record_act(workspace=run.workspace, actor=actor, act=act, now=now, data=counts)
    transaction.on_commit(lambda: default_storage.delete(run.file))
