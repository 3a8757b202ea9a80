"""Reads of suppression files: those being read in, and the one a person takes away."""

import csv
import io
from collections.abc import Iterator
from uuid import UUID

from postroom.core.contacts.errors import NoSuchImport
from postroom.core.contacts.models import SuppressionRun
from postroom.core.contacts.rules.suppression_rows import HEADERS, file_row
from postroom.core.contacts.selectors.suppressions import iter_suppressions
from postroom.core.contacts.types import NewSuppression, SuppressionReason, SuppressionScope
from postroom.core.workspaces.models import Workspace

_CHUNK = 64 * 1024


def get_suppression_run(*, workspace: Workspace, uid: UUID) -> SuppressionRun:
    """Return a file that was given in at this workspace. Raises NoSuchImport."""
    run = SuppressionRun.objects.filter(workspace=workspace, uid=uid).first()
    if run is None:
        raise NoSuchImport(uid=uid)
    return run


def list_suppression_runs(*, workspace: Workspace, limit: int = 5) -> list[SuppressionRun]:
    """Return the files given in last, newest first."""
    return list(SuppressionRun.objects.filter(workspace=workspace).order_by("-pk")[:limit])


def iter_suppression_file(
    *, workspace: Workspace, scope: SuppressionScope | None = None, reason: SuppressionReason | None = None
) -> Iterator[str]:
    """Yield a CSV file of suppressions piece by piece: it can be read in again, here or by another system."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADERS)
    for row in iter_suppressions(workspace=workspace, scope=scope, reason=reason):
        reason = SuppressionReason(row.reason)
        entry = NewSuppression(row.email, reason, row.detail, row.created_at, is_opted_out=row.is_opted_out)
        writer.writerow(file_row(entry, SuppressionScope(row.scope), bytes(row.address_hash)))
        if text.tell() >= _CHUNK:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()
