"""Figures of campaigns as programs ask for them: how many it is for, how many got it, and what they did."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count

from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.selectors.audiences import audience_of
from postroom.core.campaigns.types import CampaignStatus
from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.errors import SegmentTooSlow
from postroom.core.contacts.models import ListMember
from postroom.core.contacts.types import MemberStatus
from postroom.core.mail import selectors as mail
from postroom.core.mail.types import BatchCounts, Unmoved


@dataclass(frozen=True, slots=True)
class Figures:
    """``total`` is how many a campaign is for, zero while nobody said when; ``sent`` those whose server had it.

    People are counted once each, and machines not at all.
    """

    total: int = 0
    sent: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    unsubscribed: int = 0
    bounced: int = 0
    complained: int = 0


_NOTHING: Final = Figures()


def list_figures(*, campaigns: Sequence[Campaign], now: datetime) -> dict[int, Figures]:
    """Return the figures of campaigns by key, in at most two statements where each is to lists alone."""
    counts = mail.count_batches(batch_ids=[one.batch_id for one in campaigns if one.batch_id is not None])
    planned = [one for one in campaigns if one.batch_id is None and one.status == CampaignStatus.SCHEDULED]
    totals = _count_planned(planned, now)
    return {
        one.pk: _figures(counts[one.batch_id]) if one.batch_id in counts else Figures(total=totals.get(one.pk, 0))
        for one in campaigns
    }


def count_hard_bounces(*, campaign: Campaign, figures: Figures) -> int:
    """Return how many of a campaign's bounces are for good."""
    if campaign.batch_id is None or not figures.bounced:
        return 0
    return max(0, figures.bounced - mail.count_soft_bounces(batch_id=campaign.batch_id))


def _figures(counts: BatchCounts) -> Figures:
    return Figures(
        total=counts.total,
        sent=counts.offered,
        delivered=counts.delivered,
        opened=counts.opened,
        clicked=counts.clicked,
        unsubscribed=counts.unsubscribed,
        bounced=counts.bounced,
        complained=counts.complained,
    )


def _count_planned(planned: Sequence[Campaign], now: datetime) -> dict[int, int]:
    """Return how many each campaign to come is for: the subscribers of its lists, or who is in its audience now."""
    lists = {one.pk: [row.pk for row in one.lists.all()] if one.segment_id is None else [] for one in planned}
    singles = {list_ids[0] for list_ids in lists.values() if len(list_ids) == 1}
    members = _subscribers(singles) if singles else {}
    return {one.pk: _count(one, lists[one.pk], members, now) for one in planned}


def _subscribers(list_ids: Collection[int]) -> dict[int, int]:
    rows = ListMember.objects.filter(list_id__in=list_ids, status=MemberStatus.SUBSCRIBED)
    return dict(rows.order_by().values_list("list_id").annotate(Count("pk")))


def _count(campaign: Campaign, list_ids: Sequence[int], members: Mapping[int, int], now: datetime) -> int:
    if len(list_ids) == 1:
        return members.get(list_ids[0], 0)
    if list_ids:
        rows = ListMember.objects.filter(list_id__in=list_ids, status=MemberStatus.SUBSCRIBED)
        return rows.values("contact_id").distinct().count()
    audience = audience_of(campaign)
    if isinstance(audience, Unmoved):
        return 0  # they are counted when it begins
    try:
        return contacts.count_audience(workspace=campaign.workspace, audience=audience, now=now)
    except SegmentTooSlow:
        return 0
