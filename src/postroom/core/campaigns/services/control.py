"""Stopping and going on: a campaign and its batch change together, in one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import transaction

from postroom.core.campaigns.errors import CampaignState
from postroom.core.campaigns.jobs import defer_start_campaign
from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.selectors import lock_campaign
from postroom.core.campaigns.services.states import move, note
from postroom.core.campaigns.types import CampaignStatus
from postroom.core.mail import services as mail
from postroom.core.mail.errors import BatchState
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor


@transaction.atomic
def pause_campaign(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> Campaign:
    """Stop sending for now; what a sender holds just now may still leave. Raises NoSuchCampaign, CampaignState."""
    campaign = lock_campaign(workspace=workspace, uid=uid)
    move(campaign, allowed=(CampaignStatus.SENDING,), to=CampaignStatus.PAUSED, act="paused", now=now)
    if campaign.batch_id is not None:
        with _batch_state_as_campaigns(campaign):
            mail.pause_batch(workspace=workspace, batch_id=campaign.batch_id, now=now)
    note(campaign, act="campaign.paused", actor=actor, now=now)
    return campaign


@transaction.atomic
def resume_campaign(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> Campaign:
    """Go on with a paused campaign. Raises NoSuchCampaign, CampaignState."""
    campaign = lock_campaign(workspace=workspace, uid=uid)
    move(campaign, allowed=(CampaignStatus.PAUSED,), to=CampaignStatus.SENDING, act="resumed", now=now, error="")
    if campaign.batch_id is None:
        # It was paused before a worker had begun.
        defer_start_campaign(campaign.pk)
    else:
        with _batch_state_as_campaigns(campaign):
            mail.resume_batch(workspace=workspace, batch_id=campaign.batch_id, now=now)
    note(campaign, act="campaign.resumed", actor=actor, now=now)
    return campaign


@transaction.atomic
def cancel_campaign(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> Campaign:
    """End a campaign that is under way, for good; a scheduled one, and one that could not be started, becomes a draft
    again, since nothing has left.

    Raises NoSuchCampaign, CampaignState.
    """
    campaign = lock_campaign(workspace=workspace, uid=uid)
    if _has_sent_nothing(campaign):
        idle, back = (CampaignStatus.SCHEDULED, CampaignStatus.FAILED), CampaignStatus.DRAFT
        cleared = {"scheduled_at": None, "started_at": None, "finished_at": None, "error": ""}
        move(campaign, allowed=idle, to=back, act="cancelled", now=now, **cleared)
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
    return campaign.batch_id is None and campaign.status in (CampaignStatus.SCHEDULED, CampaignStatus.FAILED)


@contextmanager
def _batch_state_as_campaigns(campaign: Campaign) -> Iterator[None]:
    """Say in a campaign's words that its batch came to rest in the meantime."""
    try:
        yield
    except BatchState as error:
        message = f"The campaign {campaign.name} has come to its end in the meantime."
        raise CampaignState(message, **error.facts) from error
