"""Names of the campaigns app's jobs, and how to defer them."""

from typing import Final

from postroom.kit.jobs import Job, defer

START_CAMPAIGN: Final = Job("campaigns.start_campaign")


def defer_start_campaign(campaign_id: int) -> None:
    """Have a campaign's audience frozen and handed over to the senders."""
    defer(START_CAMPAIGN, lock=f"campaign-{campaign_id}", campaign_id=campaign_id)
