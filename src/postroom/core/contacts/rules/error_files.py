"""The file of refused rows: the rows as they stood, and behind each what was wrong, to be mended and imported again."""

import csv
import io
from collections.abc import Sequence
from typing import Final

from postroom.core.contacts.rules.formulas import neutralise

ERROR_HEADERS: Final = ("Import row", "Import column", "Import problem")
"""Our own columns; an import leaves them out unless somebody says otherwise."""


def original_headers(headers: Sequence[str]) -> tuple[str, ...]:
    """Return the columns without those that an earlier error file of ours added."""
    return tuple(header for header in headers if header not in ERROR_HEADERS)


def write_line(cells: Sequence[str], delimiter: str) -> str:
    """Return one line of the file, with nothing in it that a spreadsheet would run."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerow([neutralise(cell) for cell in cells])
    return text.getvalue()


def read_raw(raw: str, delimiter: str) -> list[str]:
    """Return the cells of a row that was kept as a line of CSV."""
    return next(csv.reader(io.StringIO(raw, newline=""), delimiter=delimiter), [])


def refused_cells(headers: Sequence[str], cells: Sequence[str], problem: Sequence[str]) -> list[str]:
    """Return a refused row under the original columns; cells beyond the header come last, where they can be seen."""
    by_column = [cell for header, cell in zip(headers, cells, strict=False) if header not in ERROR_HEADERS]
    missing = len(original_headers(headers)) - len(by_column)
    return [*by_column, *[""] * missing, *problem, *cells[len(headers) :]]
