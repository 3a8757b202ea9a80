"""Sending a campaign again to those whom the first time did not move."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from postroom.core.campaigns.errors import BadCampaign, CampaignState
from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.rules import check_text
from postroom.core.campaigns.selectors import lock_campaign
from postroom.core.campaigns.services.copying import copy_campaign
from postroom.core.campaigns.services.readiness import require_audience
from postroom.core.campaigns.services.states import note
from postroom.core.campaigns.types import CampaignStatus, Metric
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor


@transaction.atomic
def resend_campaign(
    *, workspace: Workspace, uid: UUID, subject: str, by: Metric, actor: Actor, now: datetime
) -> Campaign:
    """Return a draft with another subject for those who got a campaign and did not open it, or did not click in it.

    Who they are is asked when the draft is sent. Raises NoSuchCampaign, CampaignState, AudienceGone, and BadCampaign
    when the subject is the old one or what would decide was not counted.
    """
    campaign = lock_campaign(workspace=workspace, uid=uid)
    if campaign.batch is None or campaign.status not in (CampaignStatus.SENT, CampaignStatus.CANCELLED):
        message = f"The campaign {campaign.name} is {campaign.status}; only one that was sent can be sent again."
        raise CampaignState(message, status=campaign.status)
    require_audience(campaign)
    if not subject.strip() or subject.strip() == campaign.subject.strip():
        raise BadCampaign("Give it another subject: the first one did not move them.", field="subject")
    if not _is_counted(campaign, by):
        raise BadCampaign(f"The {by.value} of {campaign.name} were not counted, so nobody can be told apart by them.")
    made = copy_campaign(
        campaign,
        name=f"{campaign.name} (again)",
        now=now,
        subject=check_text("subject", subject.strip()),
        source_subject="",
        created_by_id=actor.user_id,
        resend_of_id=campaign.pk,
        resend_by=by,
    )
    note(made, act="campaign.created", actor=actor, now=now, after={"name": made.name, "resend_of": campaign.pk})
    return made


def _is_counted(campaign: Campaign, by: Metric) -> bool:
    content = campaign.batch.content if campaign.batch else None
    return content is not None and (content.tracks_opens if by is Metric.OPENS else content.tracks_clicks)
