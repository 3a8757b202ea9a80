"""Values of imports and exports."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from django.db.models import TextChoices

from postroom.core.contacts.types.fields import NewField


class ImportStatus(TextChoices):
    """The life of an import."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNDOING = "undoing"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class ImportMapping:
    """Which column goes where: ``columns`` maps a header to a target (``email``, ``first_name``, ``last_name``,
    ``company``, ``phone``, ``language``, ``timezone``, ``tags``, ``custom.<key>``); unmapped columns are left out.
    Everybody goes on the list ``list_id``, or on one made under the name ``new_list``.
    """

    columns: Mapping[str, str]
    tags: tuple[str, ...] = ()
    list_id: int | None = None
    new_list: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as a person gave it."""

    file: BinaryIO
    filename: str


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """How the bytes of a CSV file are to be read."""

    encoding: str
    delimiter: str


@dataclass(frozen=True, slots=True)
class CsvSample:
    """The top of a CSV file and a mapping proposed for it, with the fields that mapping would have to define."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    encoding: str
    delimiter: str
    suggested: dict[str, str]
    new_fields: tuple[NewField, ...] = ()


class ExportFormat(TextChoices):
    """The kinds of file an export makes."""

    CSV = "csv"
    XLSX = "xlsx"
