"""Telling people about their campaigns by mail."""

from datetime import datetime

from django.conf import settings

from postroom.core.campaigns.models import Campaign
from postroom.core.mail import services as mail
from postroom.core.mail.types import Notice


def tell_braked(*, batch_id: int, reason: str, key: str, now: datetime) -> None:
    """Write to whoever made a campaign that it stopped itself, and why; the same ``key`` again tells nothing twice."""
    campaign = Campaign.objects.select_related("workspace", "created_by").filter(batch_id=batch_id).first()
    if campaign is None or campaign.created_by is None:
        return
    notice = Notice(
        subject=f"{campaign.name} has stopped itself",
        paragraphs=(
            f"The campaign {campaign.name} has paused itself. {reason}",
            "Nothing more of it leaves until somebody goes on with it on its page, or cancels it.",
        ),
        button="Look at the campaign",
        url=f"{settings.PUBLIC_URL}/w/{campaign.workspace.slug}/campaigns/{campaign.uid}/",
    )
    mail.send_notice(
        workspace=campaign.workspace, to=campaign.created_by.email, notice=notice, idempotency_key=key, now=now
    )
