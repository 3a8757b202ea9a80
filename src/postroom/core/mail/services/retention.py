"""How long raw mail is kept: what the sandbox took, and what came in and concerned nobody."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet

from postroom.core.mail.models import InboundMessage, SandboxMail

SANDBOX_KEPT_FOR: Final = timedelta(days=30)
STRAYS_KEPT_FOR: Final = timedelta(days=7)
"""Anybody may write to our role addresses; what names no message of ours is of no use for long."""


def forget_old_mail(*, now: datetime, limit: int = 1000) -> int:
    """Delete at most ``limit`` mails of each kind that are past their time, oldest first; return how many went."""
    sandbox = SandboxMail.objects.filter(received_at__lte=now - SANDBOX_KEPT_FOR)
    strays = InboundMessage.objects.filter(
        workspace=None, processed_at__isnull=False, received_at__lte=now - STRAYS_KEPT_FOR
    )
    return _delete(sandbox, limit) + _delete(strays, limit)


def _delete(rows: QuerySet[SandboxMail] | QuerySet[InboundMessage], limit: int) -> int:
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[:limit])
    count, _ = rows.filter(pk__in=keys).delete()
    return count
