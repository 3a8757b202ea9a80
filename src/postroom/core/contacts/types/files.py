"""Values of imports and exports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from django.db.models import TextChoices

from postroom.core.contacts.types.consent import MemberStatus
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
    """Which column goes where, and what everybody in the file gets.

    ``columns`` maps a header to a target: one of ``rules.import_columns.CORE_TARGETS`` or ``custom.<key>``; unmapped
    columns are left out. ``constants`` holds a text for a target, used where a row says nothing. Everybody goes on the
    list ``list_id``, or on one made under the name ``new_list``, as ``list_status``. ``on_known`` "skip" leaves the
    record of people the organization has already as it is; they are linked, tagged and listed all the same. Who
    ``accepts_unaddressed`` takes rows with a name and no e-mail address, each a new person.
    """

    columns: Mapping[str, str]
    tags: tuple[str, ...] = ()
    list_id: int | None = None
    new_list: str = ""
    constants: Mapping[str, str] = field(default_factory=dict)
    on_known: Literal["merge", "skip"] = "merge"
    list_status: MemberStatus = MemberStatus.SUBSCRIBED
    accepts_unaddressed: bool = False


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


class KeptBy(TextChoices):
    """Why a person stays although the import that brought them is undone."""

    CHANGED = "changed", "changed since"
    MAILED = "mailed", "mailed since"
    ELSEWHERE = "elsewhere", "in another workspace as well"


@dataclass(frozen=True, slots=True)
class UndoForecast:
    """What undoing an import would come to, as far as its people were ``judged``."""

    judged: int
    is_everybody: bool
    deleted: int
    kept: Mapping[KeptBy, int]
