"""The end of a list that campaigns were for."""

from datetime import datetime
from typing import Final

from django.db import transaction

from postroom.core.campaigns.models import Campaign, CampaignList
from postroom.core.campaigns.types import CampaignStatus
from postroom.core.contacts import services as contacts
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor

_OVER: Final = (CampaignStatus.SENT, CampaignStatus.CANCELLED, CampaignStatus.FAILED)


@transaction.atomic
def delete_list(*, workspace: Workspace, list_id: int, actor: Actor, now: datetime) -> None:
    """Forget a list, who was on it and when they said so. Campaigns that are over let go of it; one that was for this
    list alone is for nobody from then on.

    Raises NoSuchList, and ListInUse, with names, while a campaign to come or under way, or a segment, needs it.
    """
    over = Campaign.objects.filter(workspace=workspace, lists=list_id, status__in=_OVER).order_by("pk")
    held = list(over.select_for_update(of=("self",)).values_list("pk", flat=True))
    CampaignList.objects.filter(campaign__in=held, list=list_id).delete()
    Campaign.objects.filter(pk__in=held, lists=None).update(lost_list=True)
    contacts.delete_list(workspace=workspace, list_id=list_id, actor=actor, now=now)
