"""A workspace at a glance."""

from dataclasses import fields
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Sum

from postroom.core.campaigns.models import Campaign
from postroom.core.contacts.models import ContactWorkspace
from postroom.core.insights.types import Counts, DayCounts, Overview
from postroom.core.mail.models import Chunk, Message, SenderAccount
from postroom.core.mail.types import BatchStatus, ChunkStatus, MessageStatus
from postroom.core.workspaces.models import Workspace

DAYS: Final = 30

_DAILY: Final = """
SELECT (p.at AT TIME ZONE %(zone)s)::date, sum(p.sent), sum(p.delivered), sum(p.opened), sum(p.clicked),
    sum(p.bounced), sum(p.complained)
FROM mail_pace p WHERE p.workspace_id = %(workspace_id)s AND p.at >= %(start)s AND p.at <= %(now)s GROUP BY 1
"""

_STOPPED: Final = (BatchStatus.PAUSED, BatchStatus.CANCELLED, BatchStatus.FAILED)


def workspace_overview(*, workspace: Workspace, now: datetime) -> Overview:
    """Return the last 30 days of a workspace and how it stands now, in six statements; tests are not counted."""
    days = _count_days(workspace, now)
    return Overview(
        days=days,
        totals=Counts(**{field.name: sum(getattr(day, field.name) for day in days) for field in fields(Counts)}),
        contact_count=ContactWorkspace.objects.filter(workspace=workspace).count(),
        campaign_count=Campaign.objects.filter(workspace=workspace).count(),
        waiting=_count_waiting(workspace),
        has_sender=SenderAccount.objects.filter(workspace=workspace).exists(),
    )


def _count_days(workspace: Workspace, now: datetime) -> tuple[DayCounts, ...]:
    zone = ZoneInfo(workspace.timezone)
    today = now.astimezone(zone).date()
    first = today - timedelta(days=DAYS - 1)
    start = datetime.combine(first, time.min, zone)
    parameters: dict[str, Any] = {
        "zone": workspace.timezone,
        "workspace_id": workspace.pk,
        "start": start,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DAILY, parameters)
        names = [field.name for field in fields(Counts)]
        counts = {
            on: DayCounts(on=on, **dict(zip(names, map(int, numbers), strict=True)))
            for on, *numbers in cursor.fetchall()
        }
    days = (first + timedelta(days=number) for number in range(DAYS))
    return tuple(counts.get(on) or DayCounts(on=on) for on in days)


def _count_waiting(workspace: Workspace) -> int:
    """Count what will leave without anybody doing more: single messages, and recipients of running batches."""
    senders = SenderAccount.objects.filter(workspace=workspace).values("pk")
    messages = Message.objects.filter(
        sender__in=senders, status__in=(MessageStatus.QUEUED, MessageStatus.DEFERRED), next_attempt_at__isnull=False
    )
    chunks = Chunk.objects.filter(
        batch__workspace=workspace, status__in=(ChunkStatus.QUEUED, ChunkStatus.CLAIMED)
    ).exclude(batch__status__in=_STOPPED)
    return messages.count() + (chunks.aggregate(total=Sum("size"))["total"] or 0)
