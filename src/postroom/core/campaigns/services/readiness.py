"""Whether a campaign can be sent, asked while its author still looks."""

from datetime import datetime

from postroom.core.campaigns.errors import AudienceGone, BadCampaign, CampaignIncomplete, CampaignNotReady
from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.rules import find_missing, find_twins
from postroom.core.campaigns.selectors import composition_of, find_obstacles, list_variants, preview_composition
from postroom.core.campaigns.selectors import has_people as look_for_people


def check_ready(campaign: Campaign, *, now: datetime, has_people: bool | None = None) -> None:
    """Refuse a campaign that could not be sent; ``has_people`` spares looking for its audience again.

    Raises CampaignIncomplete, CampaignNotReady, BadCampaign, BadComposition, TemplateRefused, BadFilter or
    SegmentTooSlow.
    """
    require_audience(campaign)
    found = look_for_people(campaign=campaign, now=now) if has_people is None else has_people
    require_complete(campaign, audience_size=int(found))
    variants = list_variants(campaign=campaign)
    twins = find_twins(variants)
    if twins:
        raise BadCampaign(f"The variants {twins[0]} and {twins[1]} say the same.", field="variants")
    for words in variants.values():
        preview_composition(workspace=campaign.workspace, composition=composition_of(campaign, words))
    _require_passage(campaign, now)


def require_audience(campaign: Campaign) -> None:
    """Refuse a campaign whose lists are gone: that names nobody, and must never mean everybody. Raises AudienceGone."""
    if campaign.lost_list:
        message = f"The list that {campaign.name} was for is deleted: say who it is for."
        raise AudienceGone(message, missing=("audience",))


def require_complete(campaign: Campaign, *, audience_size: int) -> None:
    """Refuse a campaign that lacks a part. Raises CampaignIncomplete, naming all that is missing."""
    missing = find_missing(
        has_sender=campaign.sender is not None and campaign.sender.is_active,
        subject=campaign.subject,
        body=campaign.body,
        audience_size=audience_size,
    )
    if missing:
        raise CampaignIncomplete(
            f"The campaign {campaign.name} cannot be sent yet. It lacks: {', '.join(missing)}.", missing=missing
        )


def _require_passage(campaign: Campaign, now: datetime) -> None:
    """Refuse what the large mailbox providers would not take."""
    blocking = [one for one in find_obstacles(campaign=campaign, now=now) if one.is_blocking]
    if blocking:
        raise CampaignNotReady(
            f"The campaign {campaign.name} would not get through. {' '.join(one.what for one in blocking)}",
            findings=tuple(one.code for one in blocking),
        )
