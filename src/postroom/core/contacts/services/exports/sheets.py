"""Writes rows as a file of a kind: CSV, or a workbook with one sheet. Both take as much memory as one row."""

import csv
import io
from collections.abc import Sequence
from typing import IO, Final, Protocol

from postroom.core.contacts.errors import BadExport
from postroom.core.contacts.rules.export_rows import Cell
from postroom.core.contacts.types import ExportFormat
from postroom.kit.xlsx import MAX_ROWS, MAX_TEXT, XlsxWriter

MAX_XLSX_ROWS: Final = MAX_ROWS - 1
"""People that fit under the header of one sheet."""


class Sheet(Protocol):
    """A file being written."""

    def write(self, row: Sequence[Cell]) -> None:
        """Append a row."""
        ...

    def close(self) -> None:
        """Write what is left; the file itself stays open."""
        ...


def open_sheet(format_: ExportFormat, file: IO[bytes]) -> Sheet:
    """Return a sheet that writes to ``file``."""
    return _XlsxSheet(file) if format_ is ExportFormat.XLSX else _CsvSheet(file)


class _CsvSheet:
    """RFC 4180 in UTF-8, with the mark by which Excel knows it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=False)
        self._writer = csv.writer(self._text)

    def write(self, row: Sequence[Cell]) -> None:
        self._writer.writerow(row)

    def close(self) -> None:
        self._text.flush()
        self._text.detach()


class _XlsxSheet:
    """A workbook of one sheet; a text too long for a cell is refused rather than cut."""

    def __init__(self, file: IO[bytes]) -> None:
        self._writer = XlsxWriter(file, title="Contacts")

    def write(self, row: Sequence[Cell]) -> None:
        longest = max((len(one) for one in row if isinstance(one, str)), default=0)
        if longest > MAX_TEXT:
            raise BadExport(f"A cell of a workbook holds {MAX_TEXT:,} characters, and one has {longest:,}: take CSV.")
        self._writer.write(row)

    def close(self) -> None:
        self._writer.close()
