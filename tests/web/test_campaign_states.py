"""Campaigns that programs moved into states that no page would bring them to: their pages stand, and lead on."""

from datetime import timedelta

import pytest
from django.test import Client

from postroom.core.campaigns import services
from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.types import CampaignStatus
from postroom.core.mail.models import Batch
from postroom.core.mail.types import BatchStatus
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from tests.core.campaigns.makers import make_draft
from tests.factories import make_contact

pytestmark = pytest.mark.django_db


def sent(workspace: Workspace) -> Campaign:
    """Return a campaign that has come to its end."""
    draft = make_draft(workspace=workspace, readers=[make_contact(workspace=workspace)])
    now = clock.now()
    services.send_campaign(workspace=workspace, uid=draft.uid, actor=SYSTEM, now=now)
    services.start_campaign(campaign_id=draft.pk, now=now)
    Batch.objects.update(status=BatchStatus.DONE, finished_at=now)
    Campaign.objects.filter(pk=draft.pk).update(status=CampaignStatus.SENT, finished_at=now)
    return draft


def page(client: Client, campaign: Campaign) -> str:
    for path in ("", "report/", "send/"):
        answer = client.get(f"/w/{campaign.workspace.slug}/campaigns/{campaign.uid}/{path}", follow=True)
        assert answer.status_code == 200
    assert client.get(f"/w/{campaign.workspace.slug}/campaigns/").status_code == 200
    return answer.content.decode()


def press(client: Client, campaign: Campaign, act: str) -> str:
    client.post(f"/w/{campaign.workspace.slug}/campaigns/{campaign.uid}/{act}/")
    return Campaign.objects.values_list("status", flat=True).get(pk=campaign.pk)


def test_a_draft_that_a_program_paused_is_resumed_or_becomes_a_draft_again(
    as_owner: Client, workspace: Workspace
) -> None:
    draft = make_draft(workspace=workspace, readers=[make_contact(workspace=workspace)])
    services.pause_anytime(workspace=workspace, uid=draft.uid, actor=SYSTEM, now=clock.now())
    assert "Resume" in page(as_owner, draft)
    assert press(as_owner, draft, "cancel") == CampaignStatus.DRAFT
    services.pause_anytime(workspace=workspace, uid=draft.uid, actor=SYSTEM, now=clock.now())
    assert press(as_owner, draft, "resume") == CampaignStatus.SENDING


def test_a_sent_campaign_that_is_planned_again_shows_its_report_and_can_be_stopped(
    as_owner: Client, workspace: Workspace
) -> None:
    campaign = sent(workspace)
    now = clock.now()
    services.schedule_anytime(workspace=workspace, uid=campaign.uid, at=now + timedelta(hours=2), actor=SYSTEM, now=now)
    assert "scheduled" in page(as_owner, campaign).lower()
    assert press(as_owner, campaign, "cancel") == CampaignStatus.CANCELLED
    assert "Delete" in page(as_owner, campaign)


def test_a_sent_campaign_that_a_program_paused_goes_on(as_owner: Client, workspace: Workspace) -> None:
    campaign = sent(workspace)
    services.pause_anytime(workspace=workspace, uid=campaign.uid, actor=SYSTEM, now=clock.now())
    page(as_owner, campaign)
    assert press(as_owner, campaign, "resume") == CampaignStatus.SENDING
    assert Batch.objects.get().status == BatchStatus.FREEZING
    page(as_owner, campaign)
    assert press(as_owner, campaign, "cancel") == CampaignStatus.CANCELLED


def test_a_campaign_of_a_program_is_opened_in_the_composer_as_liquid(as_owner: Client, workspace: Workspace) -> None:
    draft = make_draft(workspace=workspace, readers=[make_contact(workspace=workspace)])
    Campaign.objects.filter(pk=draft.pk).update(
        body="<p>Hi {{ properties.company }}</p>", source_html="<p>Hi {{company}}</p>"
    )
    assert "{{ properties.company }}" in as_owner.get(f"/w/{workspace.slug}/campaigns/{draft.uid}/").content.decode()
