"""What became of a campaign."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db import connection

from postroom.core.campaigns import selectors as campaigns
from postroom.core.insights.types import CampaignReport, DestinationCounts, HourCounts, LinkCounts, VariantCounts
from postroom.core.mail import selectors as mail
from postroom.core.mail.models import Content
from postroom.core.mail.types import GroupCounts
from postroom.core.workspaces.models import Workspace

Row = TypeVar("Row", DestinationCounts, VariantCounts)

HOURS: Final = 24
QUARTER_S: Final = 900

_HOURLY: Final = """
SELECT floor(extract(epoch FROM at - %(start)s) / 3600)::int, sum(opened), sum(machine_opened), sum(clicked),
    sum(scanner_clicked)
FROM mail_batchpace WHERE batch_id = %(batch_id)s AND at >= %(start)s AND at < %(end)s GROUP BY 1
"""

# Each variant numbers its links for itself: what they have in common is where they lead.
_LINKS: Final = """
SELECT l.url, coalesce(sum(t.clicks), 0), coalesce(sum(t.people), 0), coalesce(sum(t.scanner_clicks), 0)
FROM mail_trackedlink l
LEFT JOIN mail_linktally t ON t.batch_id = %(batch_id)s AND t.content_id = l.content_id AND t.link_index = l.index
WHERE l.content_id = ANY(%(contents)s)
GROUP BY l.url, CASE WHEN NOT %(has_variants)s THEN l.index END ORDER BY 2 DESC, min(l.index), l.url
"""


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
        links=_count_links(batch.pk, {group.content_id for group in groups} or {batch.content_id}),
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


def _count_hours(batch_id: int, started_at: datetime, now: datetime) -> tuple[HourCounts, ...]:
    """Count by hours that begin on the quarter, for so the events are counted."""
    start = started_at - timedelta(seconds=started_at.timestamp() % QUARTER_S)
    parameters: dict[str, Any] = {"batch_id": batch_id, "start": start, "end": min(start + timedelta(hours=HOURS), now)}
    hours = [HourCounts(start + timedelta(hours=number)) for number in range(HOURS)]
    with connection.cursor() as cursor:
        cursor.execute(_HOURLY, parameters)
        for hour, *numbers in cursor.fetchall():
            hours[hour] = HourCounts(hours[hour].at, *map(int, numbers))
    return tuple(hours)


def _count_links(batch_id: int, content_ids: Collection[int]) -> tuple[LinkCounts, ...]:
    with connection.cursor() as cursor:
        where: dict[str, Any] = {
            "batch_id": batch_id,
            "contents": list(content_ids),
            "has_variants": len(content_ids) > 1,
        }
        cursor.execute(_LINKS, where)
        return tuple(LinkCounts(url, *map(int, numbers)) for url, *numbers in cursor.fetchall())


def _sorted(fenced: Mapping[str, int]) -> dict[str, int]:
    """Return the reasons, the most frequent first."""
    return dict(sorted(fenced.items(), key=lambda item: (-item[1], item[0])))
