"""A workspace at a glance."""

from dataclasses import fields
from datetime import date, datetime, time, timedelta
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
# A message is counted on the day of each thing that happened to it, up to this long after it was made.
LONGEST_LIFE: Final = timedelta(days=30)

_DAILY: Final = """
SELECT (fact.at AT TIME ZONE %(zone)s)::date, fact.name, count(*)
FROM mail_message m CROSS JOIN LATERAL (VALUES
    ('sent', coalesce(m.sent_at, m.bounced_at)),
    ('delivered', CASE WHEN m.bounced_at IS NULL THEN m.delivered_at END),
    ('opened', m.opened_at), ('clicked', m.clicked_at), ('bounced', m.bounced_at), ('complained', m.complained_at)
) AS fact(name, at)
WHERE m.workspace_id = %(workspace_id)s AND NOT m.is_test AND m.created_at >= %(oldest)s
    AND fact.at >= %(start)s AND fact.at <= %(now)s
GROUP BY 1, 2
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
        "oldest": start - LONGEST_LIFE,
        "start": start,
        "now": now,
    }
    counts: dict[date, dict[str, int]] = {first + timedelta(days=number): {} for number in range(DAYS)}
    with connection.cursor() as cursor:
        cursor.execute(_DAILY, parameters)
        for on, name, number in cursor.fetchall():
            counts[on][name] = number
    return tuple(DayCounts(**found, on=on) for on, found in counts.items())


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
