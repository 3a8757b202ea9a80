"""How long a campaign will take."""

from collections import Counter
from datetime import datetime

from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.selectors.audiences import audience_of
from postroom.core.campaigns.types import CampaignStatus
from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.errors import SegmentTooSlow
from postroom.core.mail import selectors as mail
from postroom.core.mail.rules.destinations import destination_of
from postroom.core.mail.types import Forecast, Unmoved


def forecast_campaign(*, campaign: Campaign, now: datetime) -> Forecast | None:
    """Return when a campaign will be done: one under way, or a draft if it began now. None when that cannot be said,
    as of a draft that nothing limits.
    """
    if campaign.batch is not None:
        return mail.forecast_batch(batch=campaign.batch, now=now) if _is_sending(campaign) else None
    sender = campaign.sender
    if sender is None or not sender.is_limited or campaign.status != CampaignStatus.DRAFT:
        return None
    try:
        counts = _count_destinations(campaign, now)
    except SegmentTooSlow:
        return None
    return mail.forecast_sending(sender=sender, counts=counts, starts_at=now) if counts else None


def _is_sending(campaign: Campaign) -> bool:
    return campaign.status == CampaignStatus.SENDING


def _count_destinations(campaign: Campaign, now: datetime) -> Counter[str]:
    audience = audience_of(campaign)
    if isinstance(audience, Unmoved):
        domains = mail.count_unmoved_domains(unmoved=audience)
    else:
        domains = contacts.count_audience_domains(workspace=campaign.workspace, audience=audience, now=now)
    known = mail.known_destinations(workspace_id=campaign.workspace_id)
    found: Counter[str] = Counter()
    for domain, people in domains.items():
        found[destination_of(f"@{domain}", known)] += people
    return found
