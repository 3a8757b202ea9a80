"""Stopping and going on: a campaign and its batch change together, in one transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from postroom.core.campaigns.errors import CampaignState
from postroom.core.campaigns.models import Campaign, Recurrence
from postroom.core.campaigns.selectors import lock_campaign
from postroom.core.campaigns.services.going import call_off, halt, has_ended, set_going
from postroom.core.campaigns.services.repeating import plan_next_run
from postroom.core.campaigns.services.states import move, note
from postroom.core.campaigns.types import CampaignStatus
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor

_IDLE: Final = (CampaignStatus.SCHEDULED, CampaignStatus.FAILED, CampaignStatus.REPEATING, CampaignStatus.PAUSED)
_CLEARED: Final[Mapping[str, object]] = {
    "scheduled_at": None,
    "local_date": None,
    "local_time": None,
    "started_at": None,
    "finished_at": None,
    "error": "",
}


@transaction.atomic
def pause_campaign(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> Campaign:
    """Stop sending, or repeating, for now; what a sender holds just now may still leave.

    Raises NoSuchCampaign, CampaignState.
    """
    campaign = lock_campaign(workspace=workspace, uid=uid)
    if campaign.status == CampaignStatus.SENDING and has_ended(campaign):
        raise CampaignState(
            f"The campaign {campaign.name} has come to its end in the meantime.", status=campaign.status
        )
    return pause_locked(campaign, (CampaignStatus.SENDING, CampaignStatus.REPEATING), actor, now)


@transaction.atomic
def resume_campaign(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> Campaign:
    """Go on with a paused campaign; a repeating one with its next run to come. Raises NoSuchCampaign, CampaignState."""
    campaign = lock_campaign(workspace=workspace, uid=uid)
    return resume_locked(campaign, (CampaignStatus.PAUSED,), actor, now)


def pause_locked(campaign: Campaign, allowed: tuple[CampaignStatus, ...], actor: Actor, now: datetime) -> Campaign:
    """Stop a locked campaign that is in one of the ``allowed`` states. Raises CampaignState."""
    Recurrence.objects.filter(campaign=campaign).update(next_at=None)
    move(campaign, allowed=allowed, to=CampaignStatus.PAUSED, act="paused", now=now)
    halt(campaign, now)
    note(campaign, act="campaign.paused", actor=actor, now=now)
    return campaign


def resume_locked(campaign: Campaign, allowed: tuple[CampaignStatus, ...], actor: Actor, now: datetime) -> Campaign:
    """Go on with a locked campaign that is in one of the ``allowed`` states. Raises CampaignState."""
    recurrence = Recurrence.objects.filter(campaign=campaign).first()
    if recurrence is not None:
        move(campaign, allowed=allowed, to=CampaignStatus.REPEATING, act="resumed", now=now, error="")
        _wake_recurrence(campaign, recurrence, now)
    else:
        begun = {"error": "", "finished_at": None, "started_at": campaign.started_at or now}
        move(campaign, allowed=allowed, to=CampaignStatus.SENDING, act="resumed", now=now, **begun)
        set_going(campaign, now)
    note(campaign, act="campaign.resumed", actor=actor, now=now)
    return campaign


@transaction.atomic
def cancel_campaign(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> Campaign:
    """End a campaign that is under way, for good; a scheduled or repeating one, and one that could not be started,
    becomes a draft again, since nothing of it has left.

    Raises NoSuchCampaign, CampaignState.
    """
    campaign = lock_campaign(workspace=workspace, uid=uid)
    if _has_sent_nothing(campaign):
        move(campaign, allowed=_IDLE, to=CampaignStatus.DRAFT, act="cancelled", now=now, **_CLEARED)
        Recurrence.objects.filter(campaign=campaign).delete()
    else:
        put_off = (CampaignStatus.SCHEDULED,) if campaign.batch_id is not None else ()
        under_way = (CampaignStatus.SENDING, CampaignStatus.PAUSED, *put_off)
        end = CampaignStatus.CANCELLED
        move(campaign, allowed=under_way, to=end, act="cancelled", now=now, finished_at=now)
    call_off(campaign, now)
    note(campaign, act="campaign.cancelled", actor=actor, now=now)
    return campaign


def _has_sent_nothing(campaign: Campaign) -> bool:
    """Return whether nothing has left of a campaign, nor is about to; what repeats only ever sends copies."""
    if Recurrence.objects.filter(campaign=campaign).exists():
        return campaign.status in _IDLE
    if campaign.batch_id is not None:
        return False
    is_held = campaign.status == CampaignStatus.PAUSED and campaign.started_at is None
    return is_held or campaign.status in (CampaignStatus.SCHEDULED, CampaignStatus.FAILED)


def _wake_recurrence(campaign: Campaign, recurrence: Recurrence, now: datetime) -> None:
    """Give a repeating campaign its next run; those that fell into the pause are left out."""
    recurrence.next_at = plan_next_run(recurrence, now=now)
    if recurrence.next_at is None:
        raise CampaignState(f"The timetable of {campaign.name} has come to its end.", status=campaign.status)
    recurrence.save(update_fields=["next_at"])
