"""Whom a campaign is for, how many they are, and when each of them gets it."""

from collections import defaultdict
from datetime import datetime
from typing import Final
from uuid import UUID

from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.selectors.campaigns import get_campaign
from postroom.core.campaigns.types import Metric, Wave
from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.errors import SegmentTooSlow
from postroom.core.contacts.models import ListMember
from postroom.core.contacts.types import Audience, Fence, MemberStatus
from postroom.core.mail import selectors as mail
from postroom.core.mail.rules.placing import when_in
from postroom.core.mail.types import Finding, LocalTime, Unmoved
from postroom.core.workspaces.models import Workspace

_NO_BATCH: Final = 0
# An audience that takes too long to count is taken for one that the strictest rules are for.
_MANY: Final = 1_000_000


def audience_of(campaign: Campaign) -> Audience | Unmoved:
    """Return whom a campaign is for."""
    if campaign.resend_of is not None:
        batch_id = campaign.resend_of.batch_id or _NO_BATCH
        return Unmoved(batch_id, by_clicks=campaign.resend_by == Metric.CLICKS)
    return Audience(list_ids=_list_ids(campaign), segment_id=campaign.segment_id)


def fence_of(campaign: Campaign) -> Fence:
    """Return what a campaign needs people's word for."""
    return Fence(list_ids=_list_ids(campaign), category_id=campaign.category_id)


def count_campaign_audience(*, workspace: Workspace, uid: UUID, now: datetime) -> int:
    """Return how many people the campaign is for, those who must not be mailed included.

    Raises NoSuchCampaign, BadFilter, SegmentTooSlow.
    """
    audience = audience_of(get_campaign(workspace=workspace, uid=uid))
    if isinstance(audience, Unmoved):
        return sum(mail.count_unmoved_zones(unmoved=audience).values())
    return contacts.count_audience(workspace=workspace, audience=audience, now=now)


def has_people(*, campaign: Campaign, now: datetime) -> bool:
    """Return whether the campaign is for anybody at all. Raises BadFilter, SegmentTooSlow."""
    audience = audience_of(campaign)
    if isinstance(audience, Unmoved):
        return bool(mail.count_unmoved_zones(unmoved=audience))
    return contacts.has_audience(workspace=campaign.workspace, audience=audience, now=now)


def has_subscribers(*, campaign: Campaign, now: datetime) -> bool:
    """Return whether anybody of the campaign's lists is subscribed to them; of another audience, whether anybody is in
    it. Raises BadFilter, SegmentTooSlow.
    """
    list_ids = _list_ids(campaign)
    if not list_ids or campaign.segment_id is not None:
        return has_people(campaign=campaign, now=now)
    return ListMember.objects.filter(list_id__in=list_ids, status=MemberStatus.SUBSCRIBED).exists()


def find_obstacles(*, campaign: Campaign, now: datetime, size: int | None = None) -> list[Finding]:
    """Return what the mailbox providers would hold against a campaign to its audience of now, what blocks it first.

    ``size`` spares counting the audience again.
    """
    if campaign.sender is None:
        return []
    number = _size(campaign, now) if size is None else size
    return mail.check_bulk(workspace=campaign.workspace, sender=campaign.sender, size=number, now=now)


def _size(campaign: Campaign, now: datetime) -> int:
    try:
        return count_campaign_audience(workspace=campaign.workspace, uid=campaign.uid, now=now)
    except SegmentTooSlow:
        return _MANY


def list_waves(*, workspace: Workspace, uid: UUID, wall: datetime, now: datetime) -> list[Wave]:
    """Return when the people of a campaign get it, if each does when their own clock shows ``wall``, soonest first.

    Where that time has passed, they get it at once. Raises NoSuchCampaign, BadFilter, SegmentTooSlow.
    """
    audience = audience_of(get_campaign(workspace=workspace, uid=uid))
    if isinstance(audience, Unmoved):
        zones = mail.count_unmoved_zones(unmoved=audience)
    else:
        zones = contacts.count_audience_zones(workspace=workspace, audience=audience, now=now)
    wanted = LocalTime(wall, workspace.timezone)
    found: dict[datetime, list[str]] = defaultdict(list)
    for zone in sorted(zones):
        found[when_in(wanted, zone)].append(zone)
    return [
        Wave(at, sum(zones[zone] for zone in names), tuple(names), has_passed=at < now)
        for at, names in sorted(found.items())
    ]


def _list_ids(campaign: Campaign) -> tuple[int, ...]:
    return tuple(sorted(row.pk for row in campaign.lists.all()))
