"""Files of suppressions: read in by a job batch by batch, a killed run goes on at the last batch."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import IO, Final, cast
from uuid import UUID

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F

from postroom.core.contacts.errors import BadImport, BadRow
from postroom.core.contacts.jobs import defer_run_suppression_file
from postroom.core.contacts.models import SuppressionRun
from postroom.core.contacts.rules.csv_files import HEAD_SIZE, BrokenRow, Row, detect_format, read_rows
from postroom.core.contacts.rules.suppression_rows import SuppressionReader
from postroom.core.contacts.selectors.suppression_files import iter_suppression_file
from postroom.core.contacts.services.suppression import put_suppressions
from postroom.core.contacts.types import NewSuppression, RunStatus, SuppressionReason, SuppressionScope, Upload
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord, Door
from postroom.kit.ids import uuid7
from postroom.kit.types import JSONObject

BATCH_SIZE: Final = 5_000
MAX_ERRORS: Final = 1_000
"""Rows whose fault is kept word by word; of more only the number is."""

_PIECE: Final = 1024 * 1024
_LIVE: Final = (RunStatus.QUEUED, RunStatus.RUNNING)


@dataclass(slots=True)
class _Batch:
    """Rows of the file, read and judged."""

    size: int = 0
    good: dict[SuppressionScope, list[NewSuppression]] = field(default_factory=lambda: defaultdict(list))
    bad: list[tuple[int, str]] = field(default_factory=list)


def start_suppression_file(
    *,
    workspace: Workspace,
    upload: Upload,
    scope: SuppressionScope,
    reason: SuppressionReason,
    actor: Actor,
    now: datetime,
) -> SuppressionRun:
    """Store a CSV file of addresses and defer its reading. ``scope`` is also the widest a row may name.

    Raises BadImport for a file without addresses.
    """
    _open(upload.file, scope, reason)
    upload.file.seek(0)
    uid = uuid7()
    stored = default_storage.save(f"suppressions/{uid}.csv", File(upload.file))
    try:
        with transaction.atomic():
            run = SuppressionRun.objects.create(
                uid=uid,
                workspace=workspace,
                created_by_id=actor.user_id,
                door=actor.door,
                filename=os.path.basename(upload.filename)[:255],
                file=stored,
                scope=scope,
                reason=reason,
                created_at=now,
            )
            act = AuditRecord("suppressions.import_started", "suppression_run", run.pk, after={"scope": scope.value})
            events.record_act(workspace=workspace, actor=actor, act=act, now=now)
            defer_run_suppression_file(run_uid=uid)
    except Exception:
        default_storage.delete(stored)
        raise
    return run


@transaction.atomic
def take_suppressions(
    *,
    workspace: Workspace,
    scope: SuppressionScope | None,
    reason: SuppressionReason | None,
    actor: Actor,
    now: datetime,
) -> Iterator[str]:
    """Return a CSV file of suppressions piece by piece, and write down who takes it."""
    words: JSONObject = {"scope": scope.value if scope else None, "reason": reason.value if reason else None}
    act = AuditRecord("suppressions.exported", "workspace", workspace.pk, after=words)
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    return iter_suppression_file(workspace=workspace, scope=scope, reason=reason)


def run_suppression_file(*, run_uid: UUID, clock: Callable[[], datetime]) -> None:
    """Bring a file to its end from wherever it stands; running it twice, or two at once, counts nothing twice."""
    run = SuppressionRun.objects.select_related("workspace").get(uid=run_uid)
    if run.status not in _LIVE:
        return
    try:
        with default_storage.open(run.file, "rb") as file:
            is_complete = _run(run, cast(IO[bytes], file), clock)
    except (BadImport, FileNotFoundError, UnicodeError) as error:
        reason = error.message if isinstance(error, BadImport) else "The stored file cannot be read."
        _finish(run, RunStatus.FAILED, clock(), error=reason)
        return
    if is_complete:
        _finish(run, RunStatus.DONE, clock())


def fail_suppression_file(*, run_uid: UUID, reason: str, now: datetime) -> None:
    """Give up a file whose job does not succeed; what was read in stays."""
    run = SuppressionRun.objects.select_related("workspace").get(uid=run_uid)
    _finish(run, RunStatus.FAILED, now, error=reason)


def _run(run: SuppressionRun, file: IO[bytes], clock: Callable[[], datetime]) -> bool:
    """Write what is left of the file; False when another runner has taken over."""
    reader = _open(file, SuppressionScope(run.scope), SuppressionReason(run.reason))
    _begin(run, file, reader, clock())
    position = run.processed_rows
    with _rows(file, reader) as rows:
        for batch in _batches(islice(enumerate(rows, start=1), position, None), reader):
            if not _write(run.pk, position, batch, clock()):
                return False
            position += batch.size
    return True


def _open(file: IO[bytes], scope: SuppressionScope, reason: SuppressionReason) -> SuppressionReader:
    with _all_rows(file) as rows:
        first = next(rows, None)
    if first is None or isinstance(first, BrokenRow):
        raise BadImport("The file has no readable first row.")
    return SuppressionReader(first, scope=scope, reason=reason, widest=scope)


def _begin(run: SuppressionRun, file: IO[bytes], reader: SuppressionReader, now: datetime) -> None:
    """Say that the run is on its way, and about how many rows there are: for progress its lines are counted."""
    if run.status != RunStatus.QUEUED:
        return
    file.seek(0)
    lines = sum(piece.count(b"\n") for piece in iter(lambda: file.read(_PIECE), b""))
    total = max(0, lines - int(reader.has_header))
    waiting = SuppressionRun.objects.filter(pk=run.pk, status=RunStatus.QUEUED)
    waiting.update(status=RunStatus.RUNNING, started_at=now, total_rows=total)


@contextmanager
def _rows(file: IO[bytes], reader: SuppressionReader) -> Iterator[Iterator[Row | BrokenRow]]:
    """Yield the rows under the header, if there is one."""
    with _all_rows(file) as rows:
        yield islice(rows, int(reader.has_header), None)


@contextmanager
def _all_rows(file: IO[bytes]) -> Iterator[Iterator[Row | BrokenRow]]:
    file.seek(0)
    head = file.read(HEAD_SIZE)
    file.seek(0)
    rows = read_rows(file, detect_format(head))
    try:
        yield rows
    finally:
        rows.close()


def _batches(numbered: Iterator[tuple[int, Row | BrokenRow]], reader: SuppressionReader) -> Iterator[_Batch]:
    while rows := list(islice(numbered, BATCH_SIZE)):
        batch = _Batch(size=len(rows))
        for number, row in rows:
            try:
                if isinstance(row, BrokenRow):
                    raise BadRow(row.reason)
                scope, entry = reader.read(row)
                batch.good[scope].append(entry)
            except BadRow as error:
                batch.bad.append((number, error.message))
        yield batch


@transaction.atomic
def _write(run_id: int, position: int, batch: _Batch, now: datetime) -> bool:
    """Write one batch and count it, if the run still stands at ``position``."""
    run = SuppressionRun.objects.select_for_update().select_related("workspace").get(pk=run_id)
    if run.processed_rows != position or run.status != RunStatus.RUNNING:
        return False
    news = sum(len(put_suppressions(run.workspace, scope, batch.good[scope], now)) for scope in sorted(batch.good))
    run.processed_rows += batch.size
    run.added_rows += news
    run.error_rows += len(batch.bad)
    run.known_rows += batch.size - len(batch.bad) - news
    run.errors = [*run.errors, *([number, reason[:300]] for number, reason in batch.bad)][:MAX_ERRORS]
    run.save(update_fields=["processed_rows", "added_rows", "error_rows", "known_rows", "errors"])
    return True


@transaction.atomic
def _finish(run: SuppressionRun, status: RunStatus, now: datetime, *, error: str = "") -> None:
    """End the run once, and tell it; its file, all personal data, has served."""
    live = SuppressionRun.objects.filter(pk=run.pk, status__in=_LIVE)
    if not live.update(status=status, finished_at=now, error=error[:1000]):
        return
    if status is RunStatus.DONE:
        SuppressionRun.objects.filter(pk=run.pk).update(total_rows=F("processed_rows"))
    run.refresh_from_db(fields=["added_rows", "known_rows", "error_rows"])
    counts: JSONObject = {"added": run.added_rows, "known": run.known_rows, "errors": run.error_rows}
    word = "finished" if status is RunStatus.DONE else "failed"
    act = AuditRecord(f"suppressions.import_{word}", "suppression_run", run.pk, after=counts)
    actor = Actor(door=Door(run.door), user_id=run.created_by_id)
    events.record_act(workspace=run.workspace, actor=actor, act=act, now=now, data=counts)
    transaction.on_commit(lambda: default_storage.delete(run.file))
