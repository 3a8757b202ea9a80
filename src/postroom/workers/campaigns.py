"""Handlers of the campaigns app's jobs."""

from postroom.core.campaigns import jobs
from postroom.core.campaigns import services as campaigns
from postroom.kit import clock
from postroom.workers.registry import gives_up, handles


@handles(jobs.START_CAMPAIGN)
def start_campaign(*, campaign_id: int) -> None:
    """Freeze a campaign's audience and let the senders begin."""
    campaigns.start_campaign(campaign_id=campaign_id, now=clock.now())


@gives_up(jobs.START_CAMPAIGN)
def fail_campaign(*, campaign_id: int, reason: str) -> None:
    """Let the author know that nothing will leave."""
    campaigns.fail_campaign(campaign_id=campaign_id, reason=reason, now=clock.now())
