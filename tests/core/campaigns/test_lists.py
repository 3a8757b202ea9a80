"""The end of a list: what is over lets go of it, what is to come holds it, and nobody's audience becomes everybody."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from postroom.core.campaigns import services as campaigns
from postroom.core.campaigns.errors import AudienceGone
from postroom.core.campaigns.models import Campaign, CampaignList
from postroom.core.campaigns.types import CampaignChanges, CampaignStatus, Metric
from postroom.core.contacts.errors import ListInUse, NoSuchList
from postroom.core.contacts.models import List
from postroom.core.mail.models import Batch
from postroom.core.mail.types import BatchStatus
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.core.campaigns.makers import make_draft
from tests.factories import NOW, make_contact, make_list, make_workspace

pytestmark = pytest.mark.django_db

OVER = (CampaignStatus.SENT, CampaignStatus.CANCELLED, CampaignStatus.FAILED)


@pytest.fixture
def room() -> Workspace:
    return make_workspace()


@pytest.fixture
def campaign(room: Workspace) -> Campaign:
    """A campaign that was sent to one list."""
    draft = make_draft(workspace=room, readers=[make_contact(workspace=room)])
    campaigns.send_campaign(workspace=room, uid=draft.uid, actor=SYSTEM, now=NOW)
    campaigns.start_campaign(campaign_id=draft.pk, now=NOW)
    Batch.objects.update(status=BatchStatus.DONE, finished_at=NOW)
    Campaign.objects.update(status=CampaignStatus.SENT)
    return Campaign.objects.get()


def delete(campaign: Campaign) -> None:
    list_id = campaign.lists.first().pk  # type: ignore[union-attr]
    campaigns.delete_list(workspace=campaign.workspace, list_id=list_id, actor=SYSTEM, now=NOW)


@pytest.mark.parametrize("state", list(CampaignStatus))
def test_only_what_is_over_lets_go_of_a_list(campaign: Campaign, state: CampaignStatus) -> None:
    Campaign.objects.update(status=state)
    if state in OVER:
        delete(campaign)
        assert not List.objects.exists()
    else:
        with pytest.raises(ListInUse, match="Autumn letter"):
            delete(campaign)
        assert CampaignList.objects.count() == List.objects.count() == 1
    campaign.refresh_from_db()
    assert campaign.lost_list is (state in OVER)


def test_a_refused_deletion_leaves_what_is_over_as_it_was(room: Workspace, campaign: Campaign) -> None:
    draft = make_draft(workspace=room)
    changes = CampaignChanges(list_ids=(campaign.lists.get().pk,))
    campaigns.update_campaign(workspace=room, uid=draft.uid, changes=changes, actor=SYSTEM, now=NOW)
    with pytest.raises(ListInUse):
        delete(campaign)
    campaign.refresh_from_db()
    assert (campaign.lists.count(), campaign.lost_list) == (1, False)


def test_a_campaign_whose_list_is_gone_is_for_nobody(room: Workspace, campaign: Campaign) -> None:
    for _ in range(3):
        make_contact(workspace=room)
    delete(campaign)
    where: Any = {"workspace": room, "uid": campaign.uid, "actor": SYSTEM, "now": NOW}
    acts: tuple[Callable[[], object], ...] = (
        lambda: campaigns.schedule_anytime(at=None, **where),
        lambda: campaigns.resume_anytime(**where),
        lambda: campaigns.resend_campaign(subject="Again", by=Metric.OPENS, **where),
    )
    for act in acts:
        with pytest.raises(AudienceGone, match="is deleted"):
            act()
    Campaign.objects.update(status=CampaignStatus.SENDING)
    Batch.objects.update(status=BatchStatus.FREEZING)
    campaigns.start_campaign(campaign_id=campaign.pk, now=NOW)
    found = Campaign.objects.get()
    assert (found.status, found.batch.total if found.batch else 0) == (CampaignStatus.FAILED, 1)


def test_a_draft_that_is_left_of_it_is_sent_once_it_says_to_whom(room: Workspace) -> None:
    draft = make_draft(workspace=room, readers=[make_contact(workspace=room)])
    Campaign.objects.update(status=CampaignStatus.FAILED)
    delete(draft)
    where: Any = {"workspace": room, "uid": draft.uid, "actor": SYSTEM, "now": NOW}
    campaigns.cancel_campaign(**where)
    for act in (campaigns.send_campaign, lambda **more: campaigns.schedule_campaign(at=NOW + timedelta(1), **more)):
        with pytest.raises(AudienceGone):
            act(**where)
    campaigns.update_campaign(changes=CampaignChanges(subject="Other"), **where)
    with pytest.raises(AudienceGone):
        campaigns.send_campaign(**where)
    other = make_list(workspace=room, members=[make_contact(workspace=room)])
    campaigns.update_campaign(changes=CampaignChanges(list_ids=(other.pk,)), **where)
    campaigns.send_campaign(**where)


def test_a_campaign_to_several_lists_keeps_the_others(room: Workspace, campaign: Campaign) -> None:
    other = make_list(workspace=room)
    CampaignList.objects.create(campaign=campaign, list=other)
    first = campaign.lists.exclude(pk=other.pk).get()
    campaigns.delete_list(workspace=room, list_id=first.pk, actor=SYSTEM, now=NOW)
    campaign.refresh_from_db()
    assert (list(campaign.lists.all()), campaign.lost_list) == ([other], False)


def test_a_foreign_list_stays(campaign: Campaign) -> None:
    with pytest.raises(NoSuchList):
        campaigns.delete_list(workspace=make_workspace(), list_id=campaign.lists.get().pk, actor=SYSTEM, now=NOW)
    assert campaign.lists.count() == 1
