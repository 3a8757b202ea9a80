"""Keeps an upload while its columns are being mapped: its tables in storage, their names in a signed token."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from django.core import signing
from django.core.files import File
from django.core.files.storage import default_storage

from postroom.core.contacts.services import STAGED_FOLDER, STAGED_FOR
from postroom.kit.errors import NotFound
from postroom.kit.ids import uuid7

if TYPE_CHECKING:
    from postroom.core.contacts.types import UploadSheet
    from postroom.core.workspaces.models import Workspace

_SALT: Final = "postroom.web.imports"


class StagedFileGone(NotFound):
    """That upload is no longer here; please choose the file again."""

    code = "staged_file_gone"


@dataclass(frozen=True, slots=True)
class StagedSheet:
    """A table of an upload: the sheet's name, empty for a CSV file, and where it is stored."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class StagedFile:
    """An upload that waits for its mapping; it has one sheet at least."""

    filename: str
    sheets: tuple[StagedSheet, ...]

    def choose_sheet(self, number: int | None) -> StagedSheet:
        """Return the sheet of that number, counted from 1; the first for any other."""
        return self.sheets[number - 1] if number and number <= len(self.sheets) else self.sheets[0]


def stage_file(workspace: "Workspace", filename: str, sheets: Sequence["UploadSheet"]) -> str:
    """Store the tables and return the token that names them; a worker forgets what is left behind."""
    paths = [(sheet.name, _store(workspace, sheet.file)) for sheet in sheets]
    return signing.dumps([workspace.pk, filename, paths], salt=_SALT, compress=True)


def find_staged_file(workspace: "Workspace", token: str) -> StagedFile:
    """Return the upload that ``token`` names. Raises StagedFileGone for a foreign, old or used token."""
    try:
        owner_id, filename, paths = signing.loads(token, salt=_SALT, max_age=STAGED_FOR)
    except signing.BadSignature as error:
        raise StagedFileGone from error
    sheets = tuple(StagedSheet(name, path) for name, path in paths)
    if owner_id != workspace.pk or not default_storage.exists(sheets[0].path):
        raise StagedFileGone
    return StagedFile(filename, sheets)


@contextmanager
def open_sheet(sheet: StagedSheet) -> Iterator[BinaryIO]:
    """Open a table for reading."""
    with default_storage.open(sheet.path) as file:
        yield cast("BinaryIO", file.file)


def drop_staged_file(staged: StagedFile) -> None:
    """Forget the upload: it was used."""
    for sheet in staged.sheets:
        default_storage.delete(sheet.path)


def _store(workspace: "Workspace", file: BinaryIO) -> str:
    file.seek(0)
    return default_storage.save(f"{STAGED_FOLDER}/{workspace.pk}/{uuid7().hex}.csv", File(file))
