"""Reads a file into batches of people ready for the database, wherever that is done: here or in another process."""

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, Final

from postroom.core.contacts.errors import BadRow
from postroom.core.contacts.rules.csv_files import BrokenRow, Row, read_header, read_rows
from postroom.core.contacts.rules.import_lines import StagedPerson, stage_people
from postroom.core.contacts.rules.import_rows import ImportedPerson, RowReader
from postroom.core.contacts.types import CsvFormat, FieldSpec, ImportMapping

MAX_RAW: Final = 100_000
"""Characters of a bad row that are kept for the person who mends it."""


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """How a file is read: from which data row on, where its columns go, and at most how many rows, and how many
    characters, at a time.
    """

    format: CsvFormat
    mapping: ImportMapping
    specs: tuple[FieldSpec, ...]
    batch_size: int
    batch_weight: int
    categories: frozenset[str] = frozenset()
    position: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that cannot become a contact, ``raw`` as it stands in the file."""

    number: int
    column: str
    reason: str
    raw: str = ""


@dataclass(slots=True)
class Batch:
    """``size`` rows of the file, read and judged, before the database sees them."""

    size: int = 0
    people: list[StagedPerson] = field(default_factory=list)
    bad: list[Problem] = field(default_factory=list)


def read_batches(file: IO[bytes], plan: ReadingPlan) -> Iterator[Batch]:
    """Yield the rows of a file read and judged, so many at a time, or fewer when they are long. Raises BadImport."""
    file.seek(0)
    rows = read_rows(file, plan.format)
    reader = RowReader(read_header(rows), plan.mapping, plan.specs, categories=plan.categories)
    numbered = islice(enumerate(rows, start=1), plan.position, None)
    while (batch := _read_batch(numbered, reader, plan)).size:
        yield batch


def read_raws(file: IO[bytes], plan: ReadingPlan, numbers: Collection[int]) -> dict[int, str]:
    """Return rows by number as they stand in the file, for errors that were found only later."""
    file.seek(0)
    rows = read_rows(file, plan.format)
    read_header(rows)
    last = max(numbers)
    numbered = ((number, row) for number, row in enumerate(islice(rows, last), start=1) if number in numbers)
    return {n: _raw(row, plan.format.delimiter)[:MAX_RAW] for n, row in numbered if not isinstance(row, BrokenRow)}


def _read_batch(numbered: Iterator[tuple[int, Row | BrokenRow]], reader: RowReader, plan: ReadingPlan) -> Batch:
    batch, weight, good = Batch(), 0, list[tuple[int, ImportedPerson]]()
    for number, row in numbered:
        batch.size += 1
        try:
            if isinstance(row, BrokenRow):
                raise BadRow(row.reason)
            weight += sum(map(len, row))
            good.append((number, reader.read(row)))
        except BadRow as error:
            batch.bad.append(_problem(number, error, row, plan.format.delimiter))
        if batch.size >= plan.batch_size or weight >= plan.batch_weight:
            break
    batch.people = stage_people(good)
    return batch


def _problem(number: int, error: BadRow, row: Row | BrokenRow, delimiter: str) -> Problem:
    raw = "" if isinstance(row, BrokenRow) else _raw(row, delimiter)
    reason = storable(error.message)[:480] + (" (The row is cut here.)" if len(raw) > MAX_RAW else "")
    return Problem(number, error.column[:200], reason[:500], raw[:MAX_RAW])


def _raw(row: Row, delimiter: str) -> str:
    """Return the row as CSV again, as much of it as is kept and a bit more."""
    text = io.StringIO()
    # The writer quotes what holds a character of its own line's end, and so needs one.
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerow([cell[: MAX_RAW + 1] for cell in row])
    return storable(text.getvalue().removesuffix("\r\n"))


def storable(text: str) -> str:
    """Return a text with marks in place of what the database cannot hold."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
