"""Reads of imports: the file before, the progress during, the errors after."""

import io
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from typing import BinaryIO, Final
from uuid import UUID

from postroom.core.contacts.errors import BadImport, NoSuchImport
from postroom.core.contacts.models import ImportRowError, ImportRun
from postroom.core.contacts.rules.csv_files import HEAD_SIZE, BrokenRow, detect_format, read_header, read_rows
from postroom.core.contacts.rules.error_files import (
    ERROR_HEADERS,
    original_headers,
    read_raw,
    refused_cells,
    write_line,
)
from postroom.core.contacts.rules.file_kinds import check_kind, is_archive
from postroom.core.contacts.rules.import_columns import suggest_fields, suggest_mapping
from postroom.core.contacts.rules.import_mapping import read_mapping
from postroom.core.contacts.selectors.fields import list_field_specs
from postroom.core.contacts.types import CsvSample, EarlierImport
from postroom.core.workspaces.models import Workspace
from postroom.kit.paging import Page, PageRequest, fetch_page

SAMPLE_ROWS: Final = 200
SAMPLE_SIZE: Final = 1024 * 1024
_REMEMBERED: Final = 50
_ERRORS_AT_ONCE: Final = 1_000


def get_import(*, workspace: Workspace, uid: UUID) -> ImportRun:
    """Return an import of the workspace. Raises NoSuchImport."""
    run = ImportRun.objects.filter(workspace=workspace, uid=uid).first()
    if run is None:
        raise NoSuchImport(uid=uid)
    return run


def list_imports(*, workspace: Workspace, page: PageRequest) -> Page[ImportRun]:
    """Return the workspace's imports, newest first."""
    return fetch_page(ImportRun.objects.filter(workspace=workspace).order_by("-pk"), page)


def list_import_errors(*, workspace: Workspace, uid: UUID, page: PageRequest) -> Page[ImportRowError]:
    """Return the rows of an import that did not become contacts, in the order of the file. Raises NoSuchImport."""
    run = get_import(workspace=workspace, uid=uid)
    found = fetch_page(ImportRowError.objects.filter(run=run).order_by("row_number"), replace(page, with_total=False))
    # The import has counted them: a million are not counted again at every look.
    return replace(found, total=run.error_rows) if page.with_total else found


def find_earlier_import(*, workspace: Workspace, headers: Sequence[str]) -> EarlierImport | None:
    """Return how the workspace last imported a file with these columns, in whatever order; the columns that a file of
    refused rows has on top do not count.
    """
    wanted = set(original_headers(headers))
    runs = ImportRun.objects.filter(workspace=workspace).order_by("-pk")[:_REMEMBERED]
    for run in runs:
        if run.headers and set(original_headers(run.headers)) == wanted:
            return EarlierImport(run.filename, run.created_at, read_mapping(run.mapping))
    return None


def iter_error_file(*, workspace: Workspace, uid: UUID) -> Iterator[str]:
    """Yield the file of an import's refused rows in pieces: all columns as they were, then the row's number, the column
    and the reason. Mended, it can be imported as it is. Raises NoSuchImport, before the first piece.
    """
    return _error_pieces(get_import(workspace=workspace, uid=uid))


def _error_pieces(run: ImportRun) -> Iterator[str]:
    yield "\ufeff" + write_line([*original_headers(run.headers), *ERROR_HEADERS], run.delimiter)
    last = 0
    while True:
        rows = ImportRowError.objects.filter(run=run, row_number__gt=last).order_by("row_number")
        errors = list(rows[:_ERRORS_AT_ONCE])
        if not errors:
            return
        yield "".join(_error_line(run, error) for error in errors)
        last = errors[-1].row_number


def _error_line(run: ImportRun, error: ImportRowError) -> str:
    problem = (str(error.row_number), error.column, error.reason)
    return write_line(refused_cells(run.headers, read_raw(error.raw, run.delimiter), problem), run.delimiter)


def read_sample(*, file: BinaryIO, workspace: Workspace | None = None) -> CsvSample:
    """Return the top of a CSV file with a proposed mapping, one that knows the workspace's fields when it is given.

    Reads at most ``SAMPLE_SIZE`` octets from the start. Raises BadImport when there is no header.
    """
    file.seek(0)
    head = file.read(SAMPLE_SIZE)
    check_kind(head)
    if is_archive(head):
        raise BadImport("This is an archive or a workbook, not a CSV file.")
    format_ = detect_format(head[:HEAD_SIZE])
    with closing(read_rows(io.BytesIO(head), format_)) as found:
        headers = read_header(found)
        rows = [row for row in islice(found, SAMPLE_ROWS) if not isinstance(row, BrokenRow)]
    if len(head) == SAMPLE_SIZE and len(rows) < SAMPLE_ROWS:
        rows = rows[:-1]  # the last row was cut in the middle
    specs = list_field_specs(workspace=workspace) if workspace else []
    suggested = suggest_mapping(original_headers(headers), specs)
    return CsvSample(
        headers=headers,
        rows=tuple(tuple(cell.replace("\0", "\ufffd") for cell in row) for row in rows),
        encoding=format_.encoding,
        delimiter=format_.delimiter,
        suggested=suggested,
        new_fields=suggest_fields(suggested, headers, rows, [spec.key for spec in specs]),
    )
