"""Forgets what imports leave behind: uploads that nobody went on with, files of imports that have ended, and the rows
that were refused long ago.
"""

from datetime import datetime, timedelta
from typing import Final

from django.core.files.storage import default_storage
from django.db import connection

from postroom.core.contacts.models import ImportRun, SuppressionRun
from postroom.core.contacts.types import ImportStatus

STAGED_FOLDER: Final = "staged"
"""Where uploads wait for their mapping, each in its workspace's own folder."""
STAGED_FOR: Final = timedelta(days=1)
SERVED_FOR: Final = timedelta(hours=1)
"""How old a file is that belongs to nobody: one that has just been stored waits for its transaction's end."""
_RUNS: Final = {"imports": ImportRun.objects, "suppressions": SuppressionRun.objects}
_LIVE: Final = (ImportStatus.QUEUED, ImportStatus.RUNNING)
ERRORS_FOR: Final = timedelta(days=90)
_AT_ONCE: Final = 10_000
_FORGET_ERRORS: Final = """
DELETE FROM contacts_importrowerror WHERE id IN (
    SELECT e.id FROM contacts_importrowerror e JOIN contacts_importrun r ON r.id = e.run_id
    WHERE r.finished_at < %s LIMIT %s
)
"""


def forget_staged_uploads(*, now: datetime) -> int:
    """Delete uploads that have waited for their mapping for longer than ``STAGED_FOR``, and return how many."""
    if not default_storage.exists(STAGED_FOLDER):
        return 0
    folders = [f"{STAGED_FOLDER}/{name}" for name in default_storage.listdir(STAGED_FOLDER)[0]]
    paths = [f"{folder}/{name}" for folder in folders for name in default_storage.listdir(folder)[1]]
    return _forget([path for path in paths if default_storage.get_modified_time(path) < now - STAGED_FOR])


def forget_served_files(*, now: datetime) -> int:
    """Delete files whose import has ended, or never began, and that a crash left lying; return how many."""
    served: list[str] = []
    for folder, runs in _RUNS.items():
        names = default_storage.listdir(folder)[1] if default_storage.exists(folder) else []
        needed = set(runs.filter(status__in=_LIVE).values_list("file", flat=True))
        served += [path for name in names if (path := f"{folder}/{name}") not in needed]
    return _forget([path for path in served if default_storage.get_modified_time(path) < now - SERVED_FOR])


def _forget(paths: list[str]) -> int:
    for path in paths:
        default_storage.delete(path)
    return len(paths)


def forget_import_errors(*, now: datetime) -> int:
    """Delete some of the refused rows of imports that ended longer ago than ``ERRORS_FOR``, and return how many."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_ERRORS, [now - ERRORS_FOR, _AT_ONCE])
        return int(cursor.rowcount)
