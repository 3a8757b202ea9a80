"""What became of a campaign."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db import connection

from postroom.core.campaigns import selectors as campaigns
from postroom.core.insights.types import CampaignReport, DestinationCounts, HourCounts, LinkCounts, VariantCounts
from postroom.core.mail import selectors as mail
from postroom.core.mail.models import Batch, Content
from postroom.core.mail.types import GroupCounts
from postroom.core.workspaces.models import Workspace

Row = TypeVar("Row", DestinationCounts, VariantCounts)

HOURS: Final = 24

_HOURLY: Final = """
SELECT floor(extract(epoch FROM at - %(start)s) / 3600)::int, type, is_bot, count(*)
FROM mail_deliveryevent
WHERE batch_id = %(batch_id)s AND type IN ('opened', 'clicked') AND at >= %(start)s AND at < %(end)s
GROUP BY 1, 2, 3
"""

_LINKS: Final = """
SELECT l.url, coalesce(c.clicks, 0), coalesce(c.people, 0), coalesce(c.scanner_clicks, 0)
FROM mail_trackedlink l
LEFT JOIN (
    SELECT link_index, count(*) FILTER (WHERE NOT is_bot) AS clicks,
        count(DISTINCT message_id) FILTER (WHERE NOT is_bot) AS people, count(*) FILTER (WHERE is_bot) AS scanner_clicks
    FROM mail_deliveryevent WHERE batch_id = %(batch_id)s AND type = 'clicked' GROUP BY link_index
) c ON c.link_index = l.index
WHERE l.content_id = %(content_id)s
ORDER BY 2 DESC, l.index
"""

# Each variant numbers its links for itself: what they have in common is where they lead.
_LINKS_OF_VARIANTS: Final = """
SELECT l.url, count(e.message_id) FILTER (WHERE NOT e.is_bot), count(DISTINCT e.message_id) FILTER (WHERE NOT e.is_bot),
    count(e.message_id) FILTER (WHERE e.is_bot)
FROM mail_trackedlink l
LEFT JOIN (mail_deliveryevent e JOIN mail_message m ON m.id = e.message_id
    AND e.batch_id = %(batch_id)s AND e.type = 'clicked') ON m.content_id = l.content_id AND e.link_index = l.index
WHERE l.content_id = ANY(%(content_ids)s)
GROUP BY l.url ORDER BY 2 DESC, min(l.index), l.url
"""

_NAMES: Final = {
    ("opened", False): "opened",
    ("opened", True): "machine_opened",
    ("clicked", False): "clicked",
    ("clicked", True): "scanner_clicked",
}


def campaign_report(*, workspace: Workspace, uid: UUID, now: datetime) -> CampaignReport:
    """Return what became of a campaign until ``now``, in seven statements at most. Raises NoSuchCampaign."""
    campaign = campaigns.get_campaign(workspace=workspace, uid=uid)
    batch = campaign.batch
    if batch is None:
        return CampaignReport(campaign, counts=None, fenced={}, hours=(), links=())
    groups = mail.count_batch_by(batch_id=batch.pk)
    return CampaignReport(
        campaign,
        counts=mail.count_batch(batch_id=batch.pk),
        fenced=_sorted(batch.fenced),
        hours=_count_hours(batch.pk, campaign.started_at or batch.created_at, now),
        links=_count_links(batch, {group.content_id for group in groups}),
        destinations=_largest_first(DestinationCounts(*pair) for pair in mail.sum_by_destination(groups).items()),
        variants=_variants(groups),
    )


def _variants(groups: list[GroupCounts]) -> tuple[VariantCounts, ...]:
    counted = mail.sum_by_content(groups)
    if len(counted) < 2:
        return ()
    subjects = dict(Content.objects.filter(pk__in=counted).values_list("pk", "subject"))
    return _largest_first(VariantCounts(key, subjects.get(key, ""), counts) for key, counts in counted.items())


def _largest_first(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: -row.counts.total))


def _count_hours(batch_id: int, start: datetime, now: datetime) -> tuple[HourCounts, ...]:
    parameters: dict[str, Any] = {"batch_id": batch_id, "start": start, "end": min(start + timedelta(hours=HOURS), now)}
    counts: list[dict[str, int]] = [{} for _ in range(HOURS)]
    with connection.cursor() as cursor:
        cursor.execute(_HOURLY, parameters)
        for hour, type_, is_bot, number in cursor.fetchall():
            counts[hour][_NAMES[type_, is_bot]] = number
    return tuple(HourCounts(start + timedelta(hours=number), **found) for number, found in enumerate(counts))


def _count_links(batch: Batch, content_ids: Collection[int]) -> tuple[LinkCounts, ...]:
    statement = _LINKS_OF_VARIANTS if len(content_ids) > 1 else _LINKS
    parameters: dict[str, Any] = {
        "batch_id": batch.pk,
        "content_id": batch.content_id,
        "content_ids": sorted(content_ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return tuple(LinkCounts(*row) for row in cursor.fetchall())


def _sorted(fenced: Mapping[str, int]) -> dict[str, int]:
    """Return the reasons, the most frequent first."""
    return dict(sorted(fenced.items(), key=lambda item: (-item[1], item[0])))
