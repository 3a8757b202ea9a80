"""Values of a file that is looked at before it is imported."""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from django.db.models import TextChoices

from postroom.core.contacts.types.files import ImportMapping
from postroom.kit.types import JSONValue


@dataclass(frozen=True, slots=True)
class UploadSheet:
    """One table of an upload as CSV, open for reading; ``name`` is the sheet's in a workbook, empty for a CSV file."""

    name: str
    file: BinaryIO


@dataclass(frozen=True, slots=True)
class EarlierImport:
    """An import of a file with the same columns: its file, when it was, and how it was mapped."""

    filename: str
    at: datetime
    mapping: ImportMapping


class Fate(TextChoices):
    """What an import does with a row."""

    NEW = "new"
    CHANGED = "changed"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """What a row says of one field: ``before`` is empty when the person is new or the field was."""

    label: str
    before: JSONValue
    after: JSONValue


@dataclass(frozen=True, slots=True)
class ForecastRow:
    """What would become of one row; ``changes`` holds only what differs from before."""

    number: int
    email: str
    fate: Fate
    changes: tuple[FieldChange, ...]
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ForecastError:
    """A row that would be refused, numbered from 1, and why; ``column`` is empty when it is the row as a whole."""

    number: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportForecast:
    """What an import would do, as far as the file was read: all of it when ``is_whole_file``.

    ``rows_read = created + updated + skipped + refused``; ``errors`` and ``sample`` are the first few.
    """

    rows_read: int
    is_whole_file: bool
    created: int
    updated: int
    skipped: int
    refused: int
    errors: tuple[ForecastError, ...]
    sample: tuple[ForecastRow, ...]
