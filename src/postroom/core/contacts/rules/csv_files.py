"""Reads CSV files as people make them: any usual encoding and delimiter, stray bytes, quotes over several lines."""

import codecs
import csv
import io
from collections.abc import Generator, Iterator
from typing import IO, Final

from postroom.core.contacts.errors import BadImport
from postroom.core.contacts.types import CsvFormat

DELIMITERS: Final = (",", ";", "\t", "|")
HEAD_SIZE: Final = 64 * 1024
MAX_COLUMNS: Final = 500
MAX_LINE: Final = 1_000_000
"""Characters of one physical line; more is no table that somebody made, and would have to be held in memory whole."""
MAX_ROW: Final = 4_000_000
"""Characters of one row, which quotation marks may spread over many lines."""
_STRAY_BYTES: Final = "postroom.stray_bytes"
_WINDOWS_1252: Final = bytes(range(256)).decode("cp1252", errors="replace")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

Row = list[str]


class BrokenRow:
    """A row the CSV reader could not make sense of, and why."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


def detect_format(head: bytes) -> CsvFormat:
    """Return how a file is to be read, judged by its first ``HEAD_SIZE`` octets. Raises BadImport for an empty file."""
    encoding = _detect_encoding(head)
    first = _first_line(head.decode(encoding, errors="replace"))
    if not first.strip():
        raise BadImport("The file is empty.")
    return CsvFormat(encoding=encoding, delimiter=_detect_delimiter(first))


def read_rows(file: IO[bytes], format_: CsvFormat) -> Generator[Row | BrokenRow, None, None]:
    """Yield the rows of a file, blank lines left out. Octets that are not UTF-8 are read as Windows-1252 one by one.
    Whoever does not read to the end closes the generator before the file.

    Raises BadImport at a line of more than ``MAX_LINE`` characters, or a row of more than ``MAX_ROW``.
    """
    errors = _STRAY_BYTES if format_.encoding.startswith("utf-8") else "replace"
    text = io.TextIOWrapper(file, encoding=format_.encoding, errors=errors, newline="")
    row = _Span()
    reader = csv.reader(_read_lines(text, row), delimiter=format_.delimiter)
    try:
        while True:
            row.size = 0
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield BrokenRow(f"The row cannot be read: {error}. Is a quotation mark left open?")
                continue
            if cells:
                yield cells
    finally:
        text.detach()  # the file stays the caller's to close


def read_header(rows: Iterator[Row | BrokenRow]) -> tuple[str, ...]:
    """Return the column names of the first row, made distinct. Raises BadImport when there are none."""
    first = next(rows, None)
    if first is None or isinstance(first, BrokenRow):
        raise BadImport("The file has no header row.")
    if len(first) > MAX_COLUMNS:
        raise BadImport(f"The file has {len(first)} columns; at most {MAX_COLUMNS} are read.")
    names: list[str] = []
    for number, cell in enumerate(first, start=1):
        name = cell.replace("\0", "").strip().lstrip("\ufeff")[:200] or f"Column {number}"
        names.append(name if name not in names else f"{name} ({number})")
    return tuple(names)


class _Span:
    """The lines of the row that is being read; whoever wants the next row sets ``size`` to zero."""

    __slots__ = ("first_line", "size")

    def __init__(self) -> None:
        self.first_line = self.size = 0


def _read_lines(text: io.TextIOWrapper, row: _Span) -> Iterator[str]:
    number = 0
    while line := text.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise BadImport(f"Line {number} is longer than {MAX_LINE:,} characters. Is this really a CSV file?")
        if not row.size:
            row.first_line = number
        row.size += len(line)
        if row.size > MAX_ROW:
            raise BadImport(f"The row from line {row.first_line} on never ends. Is a quotation mark left open?")
        yield line


def _detect_encoding(head: bytes) -> str:
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
    # UTF-16 without a mark: nearly every second octet of a Latin text is zero.
    if head[1::2].count(0) > len(head) // 4:
        return "utf-16-le"
    if head[0::2].count(0) > len(head) // 4:
        return "utf-16-be"
    return "utf-8"


def _first_line(text: str) -> str:
    return next((line for line in text.lstrip("\ufeff").splitlines() if line.strip()), "")


def _detect_delimiter(line: str) -> str:
    """Return the delimiter that cuts the header into most pieces, a comma when none does."""
    return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader([line], delimiter=delimiter), [])))


def _read_as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    stray = error.object[error.start : error.end]
    return "".join([_WINDOWS_1252[octet] for octet in stray]), error.end


codecs.register_error(_STRAY_BYTES, _read_as_windows_1252)
