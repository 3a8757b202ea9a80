"""Rows of the ledger as a finished hand-over leaves them, for tests of what comes after."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from postroom.core.mail.models import Batch, Content, Message, SenderAccount, TrackedLink
from postroom.core.mail.types import BatchStatus, MessageClass, MessageStatus, Provider
from postroom.core.workspaces.models import Workspace
from tests.factories import NOW

_numbers = count(1)
SENT = NOW + timedelta(minutes=1)


def make_sender(*, workspace: Workspace, now: datetime = NOW) -> SenderAccount:
    """Return a sender account that mails into the sandbox."""
    return SenderAccount.objects.create(
        workspace=workspace,
        name=f"Desk {next(_numbers)}",
        provider=Provider.SANDBOX,
        from_email="desk@example.com",
        created_at=now,
    )


def make_content(*, workspace: Workspace, urls: Sequence[str] = (), now: datetime = NOW) -> Content:
    """Return a stored content whose tracked links lead to ``urls``."""
    content = Content.objects.create(
        workspace=workspace,
        digest=next(_numbers).to_bytes(32, "big"),
        subject="News",
        html="<p>News</p>",
        text="News",
        tracks_opens=True,
        tracks_clicks=True,
        created_at=now,
    )
    TrackedLink.objects.bulk_create(TrackedLink(content=content, index=at, url=url) for at, url in enumerate(urls))
    return content


def make_batch(*, workspace: Workspace, content: Content | None = None, **changes: Any) -> Batch:
    """Return a marketing batch that is being sent."""
    fields = {"message_class": MessageClass.MARKETING, "status": BatchStatus.SENDING, "created_at": NOW, **changes}
    content = content or make_content(workspace=workspace)
    return Batch.objects.create(workspace=workspace, sender=make_sender(workspace=workspace), content=content, **fields)


def make_message(*, workspace: Workspace, message_id: int | None = None, **changes: Any) -> Message:
    """Return a message of the ledger, sent at ``SENT`` unless ``changes`` say otherwise."""
    fields: dict[str, Any] = {
        "message_class": MessageClass.MARKETING,
        "status": MessageStatus.SENT,
        "to": ["ann@example.com"],
        "message_id_header": f"<{next(_numbers)}@example.com>",
        "created_at": NOW,
        "sent_at": SENT,
        "reply_code": 250,
        **changes,
    }
    fields.setdefault("content", None)
    content = fields.pop("content") or make_content(workspace=workspace)
    sender = fields.pop("sender", None) or make_sender(workspace=workspace)
    number = message_id or 1_000_000 + next(_numbers)
    return Message.objects.create(id=number, workspace=workspace, sender=sender, content=content, **fields)
