"""Reads of the panic stop, and of what the brakes and the senders do about it."""

from typing import Final

from django.db import connection
from django.db.models import Q

from postroom.core.mail.models import Stop
from postroom.core.mail.types import StopState
from postroom.core.workspaces.models import Workspace

IS_STOPPED: Final = """
EXISTS (SELECT FROM mail_stop t WHERE t.workspace_id IS NULL OR t.workspace_id = {workspace_id})
"""
"""Whether a workspace may not send, as a condition for statements; ``format`` it with a column."""

_IS_BUSY: Final = """
SELECT EXISTS (SELECT FROM mail_chunk c JOIN mail_batch b ON b.id = c.batch_id
        WHERE c.status = 'claimed' AND (%(workspace_id)s::bigint IS NULL OR b.workspace_id = %(workspace_id)s))
    OR EXISTS (SELECT FROM mail_message m
        WHERE m.status IN ('claimed', 'wire')
        AND (%(workspace_id)s::bigint IS NULL OR m.workspace_id = %(workspace_id)s))
"""


def find_stop(*, workspace: Workspace) -> StopState | None:
    """Return the panic stop that holds a workspace's mail, None when there is none. That of everything goes first."""
    stops = Stop.objects.filter(Q(workspace=None) | Q(workspace=workspace))
    found = min(stops, key=lambda stop: stop.workspace_id is not None, default=None)
    if found is None:
        return None
    return StopState(found.workspace_id is None, found.stopped_at, is_quiet=not _is_busy(workspace.pk))


def is_installation_stopped() -> bool:
    """Whether everything is stopped."""
    return Stop.objects.filter(workspace=None).exists()


def is_quiet(*, workspace: Workspace | None) -> bool:
    """Whether no sender holds any mail of the workspace, or of anybody, and so nothing can leave any more."""
    return not _is_busy(workspace.pk if workspace else None)


def _is_busy(workspace_id: int | None) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_IS_BUSY, {"workspace_id": workspace_id})
        return bool(cursor.fetchone()[0])
