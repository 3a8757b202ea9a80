"""Keeps an upload while its columns are being mapped: the file in storage, its name in a signed token."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from django.core import signing
from django.core.files.storage import default_storage

from postroom.kit.errors import NotFound
from postroom.kit.ids import uuid7

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from postroom.core.workspaces.models import Workspace

KEPT_FOR: Final = timedelta(days=1)
_SALT: Final = "postroom.web.imports"


class StagedFileGone(NotFound):
    """That upload is no longer here; please choose the file again."""

    code = "staged_file_gone"


@dataclass(frozen=True, slots=True)
class StagedFile:
    """An upload that waits for its mapping."""

    path: str
    filename: str


def stage_file(workspace: "Workspace", upload: "UploadedFile[bytes]", now: datetime) -> str:
    """Store ``upload`` and return the token that names it; also drop what was left behind for longer than a day."""
    folder = f"staged/{workspace.pk}"
    _drop_old(folder, now)
    path = default_storage.save(f"{folder}/{uuid7().hex}.csv", upload)
    return signing.dumps([workspace.pk, path, upload.name or "upload.csv"], salt=_SALT)


def find_staged_file(workspace: "Workspace", token: str) -> StagedFile:
    """Return the upload that ``token`` names. Raises StagedFileGone for a foreign, old or used token."""
    try:
        owner_id, path, filename = signing.loads(token, salt=_SALT, max_age=KEPT_FOR)
    except signing.BadSignature as error:
        raise StagedFileGone from error
    if owner_id != workspace.pk or not default_storage.exists(path):
        raise StagedFileGone
    return StagedFile(path, filename)


@contextmanager
def open_staged_file(staged: StagedFile) -> Iterator[BinaryIO]:
    """Open the upload for reading."""
    with default_storage.open(staged.path) as file:
        yield cast("BinaryIO", file.file)


def drop_staged_file(staged: StagedFile) -> None:
    """Forget the upload: it was used."""
    default_storage.delete(staged.path)


def _drop_old(folder: str, now: datetime) -> None:
    if not default_storage.exists(folder):
        return
    for name in default_storage.listdir(folder)[1]:
        if default_storage.get_modified_time(f"{folder}/{name}") < now - KEPT_FOR:
            default_storage.delete(f"{folder}/{name}")
