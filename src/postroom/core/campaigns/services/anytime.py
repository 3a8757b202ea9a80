"""Acts of programs, which may come in any state of a campaign: scheduling, pausing, going on."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from postroom.core.campaigns.errors import NobodyToMail, NothingToSay
from postroom.core.campaigns.models import Campaign, Recurrence
from postroom.core.campaigns.rules import check_portion
from postroom.core.campaigns.selectors import has_subscribers, lock_campaign
from postroom.core.campaigns.services.control import pause_locked, resume_locked
from postroom.core.campaigns.services.going import halt
from postroom.core.campaigns.services.readiness import check_ready, require_audience
from postroom.core.campaigns.services.states import move, note
from postroom.core.campaigns.types import CampaignStatus
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor

_ANY: Final = tuple(CampaignStatus)


@transaction.atomic
def schedule_anytime(
    *,
    workspace: Workspace,
    uid: UUID,
    at: datetime | None,
    actor: Actor,
    now: datetime,
    batch_size: int | None = None,
) -> Campaign:
    """Have a campaign in whatever state sent at a time, or now: one that was stopped goes on then, and one that was
    sent goes to those who never got it. One that is being sent and is wanted now just goes on.

    Raises NoSuchCampaign, NothingToSay, NobodyToMail, BadCampaign, and what ``send_campaign`` raises.
    """
    campaign = lock_campaign(workspace=workspace, uid=uid)
    check_sendable(campaign, now)
    is_future = at is not None and at > now
    if batch_size is not None:
        set_batch_size(campaign, batch_size)
    if campaign.status == CampaignStatus.SENDING and not is_future:
        return campaign
    Recurrence.objects.filter(campaign=campaign).delete()
    planned = {"scheduled_at": at if is_future else now, "local_date": None, "local_time": None}
    ended = {"error": "", "finished_at": None, "batch_size": campaign.batch_size}
    move(campaign, allowed=_ANY, to=CampaignStatus.SCHEDULED, act="scheduled", now=now, **planned, **ended)
    halt(campaign, now)
    note(campaign, act="campaign.scheduled", actor=actor, now=now, after={"at": str(campaign.scheduled_at)})
    return campaign


@transaction.atomic
def pause_anytime(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> Campaign:
    """Pause a campaign in whatever state; one that is not being sent does not begin either. Raises NoSuchCampaign."""
    campaign = lock_campaign(workspace=workspace, uid=uid)
    return campaign if campaign.status == CampaignStatus.PAUSED else pause_locked(campaign, _ANY, actor, now)


@transaction.atomic
def resume_anytime(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> Campaign:
    """Go on with a campaign in whatever state: at its time, where that is still ahead, else now.

    Raises NoSuchCampaign, and what ``send_campaign`` raises for one that could not be sent; that nobody is subscribed
    is no reason.
    """
    campaign = lock_campaign(workspace=workspace, uid=uid)
    if campaign.status in (CampaignStatus.SENDING, CampaignStatus.REPEATING):
        return campaign
    if Recurrence.objects.filter(campaign=campaign).exists():
        return resume_locked(campaign, _ANY, actor, now)
    check_words(campaign)
    check_ready(campaign, now=now, has_people=True)
    if campaign.scheduled_at is None or campaign.scheduled_at <= now:
        return resume_locked(campaign, _ANY, actor, now)
    move(campaign, allowed=_ANY, to=CampaignStatus.SCHEDULED, act="resumed", now=now, error="", finished_at=None)
    note(campaign, act="campaign.resumed", actor=actor, now=now)
    return campaign


def check_sendable(campaign: Campaign, now: datetime) -> None:
    """Refuse a campaign that has no words or no readers, or would not get through."""
    check_words(campaign)
    require_audience(campaign)
    if not has_subscribers(campaign=campaign, now=now):
        raise NobodyToMail(f"Nobody who is subscribed would get {campaign.name}.", missing=("audience",))
    check_ready(campaign, now=now, has_people=True)


def check_words(campaign: Campaign) -> None:
    """Refuse a campaign without a body. Raises NothingToSay."""
    if not campaign.body.strip():
        raise NothingToSay(f"The campaign {campaign.name} has no body yet.", missing=("body",))


def set_batch_size(campaign: Campaign, batch_size: int) -> None:
    """Set how many people get a campaign in each of its windows. Raises BadCampaign."""
    campaign.batch_size = check_portion("batch_size", batch_size)
    campaign.save(update_fields=["batch_size"])
