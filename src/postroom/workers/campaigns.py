"""Jobs and loops of campaigns."""

from datetime import datetime

from postroom.core.campaigns import jobs
from postroom.core.campaigns import services as campaigns
from postroom.kit import clock
from postroom.workers.registry import every, handles


@handles(jobs.START_CAMPAIGN)
def start_campaign(*, campaign_id: int) -> None:
    """Freeze a campaign's audience and let the senders begin."""
    campaigns.start_campaign(campaign_id=campaign_id, now=clock.now())


@every(5.0)
def start_due_campaigns(now: datetime) -> bool:
    """Start what was scheduled for now."""
    campaigns.start_due_campaigns(now=now)
    return False
