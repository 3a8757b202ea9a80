"""Merges a stored file batch by batch. Each batch and its counts commit together, so a killed run goes on at the last
edge; a second runner finds the edge moved and leaves.
"""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from typing import IO, Final, cast
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import connection, transaction

from postroom.core.contacts.errors import BadImport
from postroom.core.contacts.models import ImportBatch, ImportRun
from postroom.core.contacts.rules.csv_files import read_rows
from postroom.core.contacts.rules.import_batches import Batch, Problem, ReadingPlan, read_raws
from postroom.core.contacts.rules.import_mapping import read_mapping
from postroom.core.contacts.selectors.fields import list_field_specs
from postroom.core.contacts.selectors.lists import list_categories
from postroom.core.contacts.services.imports.ending import end_import
from postroom.core.contacts.services.imports.merge import merge_people
from postroom.core.contacts.services.imports.reading import read_ahead
from postroom.core.contacts.services.imports.target import Merged, MergeTarget, source_of
from postroom.core.contacts.services.telling import CREATED, tell_people
from postroom.core.contacts.types import CsvFormat, ImportStatus
from postroom.core.events import services as events
from postroom.core.events.types import NewEvent
from postroom.core.workspaces.types import Actor, Door
from postroom.kit.arrays import array_text
from postroom.kit.copy import copy_rows

BATCH_SIZE: Final = 20_000
BATCH_WEIGHT: Final = 6_000_000
_COUNTS: Final = ("processed_rows", "error_rows", "created_rows", "updated_rows", "skipped_rows")

_KEEP_CREATED: Final = "INSERT INTO contacts_importbatch (run_id, first_row, created_ids) VALUES (%s, %s, %s)"


def run_import(*, run_uid: UUID, clock: Callable[[], datetime]) -> None:
    """Bring an import to its end from wherever it stands; running it twice, or two at once, counts nothing twice."""
    run = ImportRun.objects.select_related("workspace").get(uid=run_uid)
    if run.status not in {ImportStatus.QUEUED, ImportStatus.RUNNING}:
        return
    try:
        with default_storage.open(run.file, "rb") as file:
            is_complete = _run(run, cast(IO[bytes], file), clock)
    except (BadImport, FileNotFoundError, UnicodeError) as error:
        reason = error.message if isinstance(error, BadImport) else "The stored file cannot be read."
        end_import(run, ImportStatus.FAILED, now=clock(), error=reason)
        return
    if is_complete:
        _tidy_up()
        end_import(run, ImportStatus.DONE, now=clock())


def fail_import(*, run_uid: UUID, reason: str, now: datetime) -> None:
    """Give up an import whose job does not succeed; one that has ended stays as it is. What is merged stays merged."""
    run = ImportRun.objects.select_related("workspace").get(uid=run_uid)
    end_import(run, ImportStatus.FAILED, now=now, error=reason)


def _run(run: ImportRun, file: IO[bytes], clock: Callable[[], datetime]) -> bool:
    """Merge what is left of the file; False when another runner has taken over, or somebody ended it."""
    plan = _plan(run)
    _begin(run, file, plan.format, clock())
    position = run.processed_rows
    with closing(read_ahead(file, plan)) as batches:
        for batch in batches:
            if not _merge_batch(run, position, batch, plan, clock()):
                return False
            position += batch.size
    return True


def _plan(run: ImportRun) -> ReadingPlan:
    return ReadingPlan(
        format=CsvFormat(encoding=run.encoding, delimiter=run.delimiter),
        mapping=read_mapping(run.mapping),
        specs=tuple(list_field_specs(workspace=run.workspace)),
        categories=frozenset(category.slug for category in list_categories(workspace=run.workspace)),
        position=run.processed_rows,
        batch_size=BATCH_SIZE,
        batch_weight=BATCH_WEIGHT,
    )


def _begin(run: ImportRun, file: IO[bytes], format_: CsvFormat, now: datetime) -> None:
    """Count the rows once, so that progress can be shown, and say that the import runs."""
    if run.total_rows is None:
        run.total_rows = max(0, sum(1 for _ in read_rows(file, format_)) - 1)
    ImportRun.objects.filter(pk=run.pk, status=ImportStatus.QUEUED).update(
        status=ImportStatus.RUNNING, started_at=now, total_rows=run.total_rows
    )


@transaction.atomic
def _merge_batch(run: ImportRun, position: int, batch: Batch, plan: ReadingPlan, now: datetime) -> bool:
    """Merge one batch and count it, if the import still stands at ``position``."""
    now_locked = ImportRun.objects.select_for_update().get(pk=run.pk)
    if now_locked.processed_rows != position or now_locked.status != ImportStatus.RUNNING:
        return False
    merged = merge_people(batch.people, _target(run, plan, now))
    bad = [*batch.bad, *_refused(run, plan, merged)]
    _keep_errors(run, bad)
    _keep_created(run, position, merged, now)
    created = len(merged.created_ids)
    now_locked.processed_rows += batch.size
    now_locked.error_rows += len(bad)
    now_locked.created_rows += created
    now_locked.skipped_rows += merged.skipped
    now_locked.updated_rows += batch.size - len(bad) - created - merged.skipped
    now_locked.save(update_fields=_COUNTS)
    return True


def _target(run: ImportRun, plan: ReadingPlan, now: datetime) -> MergeTarget:
    return MergeTarget(
        workspace=run.workspace,
        mapping=plan.mapping,
        source=source_of(run),
        actor=Actor(door=Door(run.door), user_id=run.created_by_id),
        now=now,
        own_from=_first_made(run) if plan.mapping.on_known == "skip" else None,
    )


def _first_made(run: ImportRun) -> int | None:
    """Return the key of the first person this import made: those after it are its own."""
    batches = ImportBatch.objects.filter(run=run).order_by("first_row")
    return batches.values_list("created_ids__0", flat=True).first()


def _refused(run: ImportRun, plan: ReadingPlan, merged: Merged) -> list[Problem]:
    """Return what the database refused, which is rare, with the rows as they stand in the file."""
    reasons = {one.number: one.reason for one in merged.refused}
    if not reasons:
        return []
    with default_storage.open(run.file, "rb") as file:
        raws = read_raws(cast(IO[bytes], file), plan, reasons.keys())
    return [Problem(number, "", reason, raws.get(number, "")) for number, reason in reasons.items()]


def _keep_errors(run: ImportRun, bad: list[Problem]) -> None:
    lines = ((run.pk, one.number, one.column, one.reason, one.raw) for one in bad)
    if bad:
        copy_rows("contacts_importrowerror", ("run_id", "row_number", "column", "reason", "raw"), lines)


def _keep_created(run: ImportRun, position: int, merged: Merged, now: datetime) -> None:
    """Remember whom a batch made, and tell of all in one event: a row for each would cost more than the people do."""
    if not merged.created_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_CREATED, [run.pk, position + 1, array_text(merged.created_ids)])
    tell_people(workspace_id=run.workspace_id, contact_ids=merged.created_ids, what=CREATED, now=now)
    event = NewEvent("contacts.imported", "import", run.pk, data={"created": len(merged.created_ids)})
    events.record_event(workspace=run.workspace, event=event, now=now)


def _tidy_up() -> None:
    """Have the database look at the people now, not when autovacuum comes by: a campaign often starts right away."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE contacts_contact, contacts_contactworkspace, contacts_contacttag, contacts_listmember")
        cursor.execute("SELECT gin_clean_pending_list('contact_search')")
