"""Reads of the ledger."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from postroom.core.mail.errors import NoSuchMessage
from postroom.core.mail.models import Message
from postroom.core.mail.rules.outlook import look_ahead
from postroom.core.mail.types import MessageOutlook
from postroom.core.workspaces.models import Workspace

RECENT: Final = 200
"""Among how many messages the latest of a program is looked for."""


def get_message(*, workspace: Workspace, uid: UUID) -> Message:
    """Return a message with its sender and content. Raises NoSuchMessage, also for one of another workspace."""
    found = _messages(workspace).filter(uid=uid).first()
    if found is None:
        raise NoSuchMessage("There is no such message in this workspace.")
    return found


def has_messages(*, workspace: Workspace) -> bool:
    """Whether anything was ever accepted in a workspace."""
    return Message.objects.filter(workspace=workspace).exists()


def find_latest_submitted(*, workspace: Workspace, api_key_id: int | None = None) -> Message | None:
    """Return the newest message that a program handed over, by whichever key or by this one; None when there is none
    among the newest ``RECENT`` of the workspace.
    """
    recent = Message.objects.filter(workspace=workspace).order_by("-id").values("pk")[:RECENT]
    rows = _messages(workspace).filter(pk__in=recent, api_key_id__isnull=False)
    return (rows if api_key_id is None else rows.filter(api_key_id=api_key_id)).order_by("-id").first()


def foresee(*, message: Message, now: datetime) -> MessageOutlook:
    """Return what happens to a message next, and what may be done about it."""
    return look_ahead(
        status=message.status,
        next_attempt_at=message.next_attempt_at,
        is_bounced=message.bounced_at is not None,
        batch_status=message.batch.status if message.batch else None,
        now=now,
    )


def _messages(workspace: Workspace) -> QuerySet[Message]:
    return Message.objects.select_related("sender", "content", "contact").filter(workspace=workspace)
