"""What sets a campaign going, whatever became of it before."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from postroom.core.campaigns.errors import CampaignState
from postroom.core.campaigns.jobs import defer_start_campaign
from postroom.core.campaigns.models import Campaign
from postroom.core.mail import services as mail
from postroom.core.mail.errors import BatchState
from postroom.core.mail.types import BatchStatus

_HALTED: Final = (BatchStatus.PAUSED, BatchStatus.PAUSING)
_ENDED: Final = (BatchStatus.DONE, BatchStatus.CANCELLED, BatchStatus.FAILED)
_MOVING: Final = (BatchStatus.FREEZING, BatchStatus.SENDING, *_HALTED)


def set_going(campaign: Campaign, now: datetime) -> None:
    """Have the senders go on with a campaign that is in ``sending``. One that never began is for a worker, and one that
    came to its end goes on to those who never got it.
    """
    batch, workspace = campaign.batch, campaign.workspace
    if batch is None:
        defer_start_campaign(campaign.pk)
        return
    with batch_state_as_campaigns(campaign):
        if batch.status in _HALTED:
            in_portions = campaign.batch_window_minutes > 0
            mail.resume_batch(workspace=workspace, batch_id=batch.pk, now=now, in_portions=in_portions)
        elif batch.status != BatchStatus.SENDING:
            if batch.status != BatchStatus.FREEZING:
                mail.reopen_batch(workspace=workspace, batch_id=batch.pk)
            defer_start_campaign(campaign.pk)


def halt(campaign: Campaign, now: datetime) -> None:
    """Have the senders stop, where they are at it."""
    if campaign.batch is not None and campaign.batch.status == BatchStatus.SENDING:
        with batch_state_as_campaigns(campaign):
            mail.pause_batch(workspace=campaign.workspace, batch_id=campaign.batch.pk, now=now)


def has_ended(campaign: Campaign) -> bool:
    """Return whether the senders are done with a campaign, whatever its state says yet."""
    return campaign.batch is not None and campaign.batch.status in _ENDED


def call_off(campaign: Campaign, now: datetime) -> None:
    """Have the senders never go on, where anything is left to be sent."""
    if campaign.batch is not None and campaign.batch.status in _MOVING:
        with batch_state_as_campaigns(campaign):
            mail.cancel_batch(workspace=campaign.workspace, batch_id=campaign.batch.pk, now=now)


@contextmanager
def batch_state_as_campaigns(campaign: Campaign) -> Iterator[None]:
    """Say in a campaign's words that its batch came to rest in the meantime."""
    try:
        yield
    except BatchState as error:
        message = f"The campaign {campaign.name} has come to its end in the meantime."
        raise CampaignState(message, **error.facts) from error
