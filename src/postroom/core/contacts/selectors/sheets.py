"""Opens what a person uploaded as tables: a CSV file is one, a workbook has one for each sheet that holds something."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from postroom.core.contacts.errors import BadImport
from postroom.core.contacts.rules.file_kinds import KIND_SIZE, check_kind, is_archive
from postroom.core.contacts.selectors.imports import read_sample
from postroom.core.contacts.types import Upload, UploadSheet
from postroom.kit.workbooks import BadWorkbook, convert_workbook


@contextmanager
def open_sheets(*, upload: Upload) -> Iterator[tuple[UploadSheet, ...]]:
    """Yield the tables of an upload as CSV files, open until the end of the block: those with a header, one at least.

    A workbook is read in a process of its own with little memory and time. Raises BadImport for any other kind of file,
    for a workbook that is damaged, protected, empty or too large, and when no table has a header.
    """
    upload.file.seek(0)
    head = upload.file.read(KIND_SIZE)
    upload.file.seek(0)
    check_kind(head)
    if not is_archive(head):
        yield _with_header([UploadSheet("", upload.file)])
        return
    with ExitStack() as stack:
        try:
            sheets = stack.enter_context(convert_workbook(upload.file))
        except BadWorkbook as error:
            raise BadImport(str(error)) from error
        yield _with_header([UploadSheet(sheet.name, stack.enter_context(sheet.path.open("rb"))) for sheet in sheets])


def _with_header(sheets: list[UploadSheet]) -> tuple[UploadSheet, ...]:
    """Return the tables that can be mapped. Raises the first one's BadImport when there are none."""
    good, refusals = list[UploadSheet](), list[BadImport]()
    for sheet in sheets:
        try:
            read_sample(file=sheet.file)
        except BadImport as refusal:
            refusals.append(refusal)
        else:
            sheet.file.seek(0)
            good.append(sheet)
    if not good:
        raise refusals[0]
    return tuple(good)
