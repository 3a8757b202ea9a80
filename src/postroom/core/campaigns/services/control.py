"""Stopping and going on: a campaign and its batch change together, in one transaction."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from postroom.core.campaigns.errors import CampaignState
from postroom.core.campaigns.jobs import defer_start_campaign
from postroom.core.campaigns.models import Campaign, Recurrence
from postroom.core.campaigns.selectors import lock_campaign
from postroom.core.campaigns.services.repeating import plan_next_run
from postroom.core.campaigns.services.states import move, note
from postroom.core.campaigns.types import CampaignStatus
from postroom.core.mail import services as mail
from postroom.core.mail.errors import BatchState
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
    allowed = (CampaignStatus.SENDING, CampaignStatus.REPEATING)
    _rest_recurrence(campaign)
    move(campaign, allowed=allowed, to=CampaignStatus.PAUSED, act="paused", now=now)
    if campaign.batch_id is not None:
        with _batch_state_as_campaigns(campaign):
            mail.pause_batch(workspace=workspace, batch_id=campaign.batch_id, now=now)
    note(campaign, act="campaign.paused", actor=actor, now=now)
    return campaign


@transaction.atomic
def resume_campaign(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> Campaign:
    """Go on with a paused campaign; a repeating one with its next run to come. Raises NoSuchCampaign, CampaignState."""
    campaign = lock_campaign(workspace=workspace, uid=uid)
    recurrence = Recurrence.objects.filter(campaign=campaign).first()
    to = CampaignStatus.REPEATING if recurrence else CampaignStatus.SENDING
    move(campaign, allowed=(CampaignStatus.PAUSED,), to=to, act="resumed", now=now, error="")
    if recurrence is not None:
        _wake_recurrence(campaign, recurrence, now)
    elif campaign.batch_id is None:
        # It was paused before a worker had begun.
        defer_start_campaign(campaign.pk)
    else:
        with _batch_state_as_campaigns(campaign):
            mail.resume_batch(workspace=workspace, batch_id=campaign.batch_id, now=now)
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
        under_way = (CampaignStatus.SENDING, CampaignStatus.PAUSED)
        end = CampaignStatus.CANCELLED
        move(campaign, allowed=under_way, to=end, act="cancelled", now=now, finished_at=now)
    if campaign.batch_id is not None:
        with _batch_state_as_campaigns(campaign):
            mail.cancel_batch(workspace=workspace, batch_id=campaign.batch_id, now=now)
    note(campaign, act="campaign.cancelled", actor=actor, now=now)
    return campaign


def _has_sent_nothing(campaign: Campaign) -> bool:
    """Return whether nothing has left of a campaign, nor is about to; what repeats only ever sends copies."""
    if Recurrence.objects.filter(campaign=campaign).exists():
        return campaign.status in _IDLE
    return campaign.batch_id is None and campaign.status in (CampaignStatus.SCHEDULED, CampaignStatus.FAILED)


def _rest_recurrence(campaign: Campaign) -> None:
    Recurrence.objects.filter(campaign=campaign).update(next_at=None)


def _wake_recurrence(campaign: Campaign, recurrence: Recurrence, now: datetime) -> None:
    """Give a repeating campaign its next run; those that fell into the pause are left out."""
    recurrence.next_at = plan_next_run(recurrence, now=now)
    if recurrence.next_at is None:
        raise CampaignState(f"The timetable of {campaign.name} has come to its end.", status=campaign.status)
    recurrence.save(update_fields=["next_at"])


@contextmanager
def _batch_state_as_campaigns(campaign: Campaign) -> Iterator[None]:
    """Say in a campaign's words that its batch came to rest in the meantime."""
    try:
        yield
    except BatchState as error:
        message = f"The campaign {campaign.name} has come to its end in the meantime."
        raise CampaignState(message, **error.facts) from error
