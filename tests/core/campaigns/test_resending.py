"""Sending again to those whom the first time did not move."""

import pytest

from postroom.core.campaigns import selectors
from postroom.core.campaigns import services as campaigns
from postroom.core.campaigns.errors import BadCampaign, CampaignIncomplete, CampaignState, NoSuchCampaign
from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.types import CampaignStatus, Metric
from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import Contact
from postroom.core.contacts.types import OptOutScope
from postroom.core.events import services as events
from postroom.core.mail import services as mail
from postroom.core.mail.models import Content, Message, Recipient
from postroom.core.workspaces.types import SYSTEM
from tests.core.campaigns.makers import make_draft
from tests.core.mail.services.bulk import hand_over_all
from tests.factories import NOW, make_contact, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def readers() -> list[Contact]:
    room = make_workspace()
    return [make_contact(workspace=room) for _ in range(5)]


@pytest.fixture
def sent(readers: list[Contact]) -> Campaign:
    """A campaign to five people: the first opened it, the second clicked, a machine opened the third's."""
    room = readers[0].organization.workspaces.get()
    draft = make_draft(workspace=room, readers=readers)
    campaigns.send_campaign(workspace=room, uid=draft.uid, actor=SYSTEM, now=NOW)
    campaigns.start_campaign(campaign_id=draft.pk, now=NOW)
    work = mail.claim_work(owner="here-1", now=NOW)
    assert work is not None
    mail.finish_chunk(claim=work.claim, handovers=hand_over_all(work), now=NOW)  # type: ignore[arg-type]
    events.dispatch_events(now=NOW)
    first, second, third = readers[:3]
    Message.objects.filter(contact=first).update(opened_at=NOW)
    Message.objects.filter(contact=second).update(opened_at=NOW, clicked_at=NOW)
    Message.objects.filter(contact=third).update(machine_opened_at=NOW)
    return selectors.get_campaign(workspace=room, uid=draft.uid)


def again(sent: Campaign, *, by: Metric = Metric.OPENS, subject: str = "Did you see this?") -> Campaign:
    return campaigns.resend_campaign(
        workspace=sent.workspace, uid=sent.uid, subject=subject, by=by, actor=SYSTEM, now=NOW
    )


def start(draft: Campaign) -> set[int]:
    """Send a draft and return who gets it."""
    campaigns.send_campaign(workspace=draft.workspace, uid=draft.uid, actor=SYSTEM, now=NOW)
    campaigns.start_campaign(campaign_id=draft.pk, now=NOW)
    batch = Campaign.objects.get(pk=draft.pk).batch
    return set(Recipient.objects.filter(batch=batch, fence="").values_list("contact_id", flat=True))


@pytest.mark.parametrize(("by", "unmoved"), [(Metric.OPENS, (2, 3, 4)), (Metric.CLICKS, (0, 2, 3, 4))])
def test_it_goes_to_who_did_nothing_by_hand_with_another_subject(
    sent: Campaign, readers: list[Contact], by: Metric, unmoved: tuple[int, ...]
) -> None:
    draft = again(sent, by=by)
    assert (draft.status, draft.name, draft.body) == (CampaignStatus.DRAFT, "Autumn letter (again)", sent.body)
    assert selectors.count_campaign_audience(workspace=draft.workspace, uid=draft.uid, now=NOW) == len(unmoved)
    assert start(draft) == {readers[number].pk for number in unmoved}
    assert Content.objects.filter(subject="Did you see this?").exists()


def test_who_opened_it_or_left_the_list_in_the_meantime_is_spared(sent: Campaign, readers: list[Contact]) -> None:
    draft = again(sent)
    Message.objects.filter(contact=readers[3]).update(opened_at=NOW)
    contacts.opt_out(
        workspace=sent.workspace,
        contact_id=readers[4].pk,
        scope=OptOutScope(list_ids=(sent.lists.get().pk,)),
        source="test",
        actor=SYSTEM,
        now=NOW,
    )
    assert start(draft) == {readers[2].pk}


def test_with_everybody_moved_there_is_nobody_to_send_it_to(sent: Campaign) -> None:
    draft = again(sent)
    Message.objects.update(opened_at=NOW)
    with pytest.raises(CampaignIncomplete, match="audience"):
        start(draft)


def test_only_what_was_sent_can_be_sent_again_under_another_subject(sent: Campaign) -> None:
    with pytest.raises(BadCampaign, match="another subject"):
        again(sent, subject=f" {sent.subject} ")
    with pytest.raises(CampaignState, match="only one that was sent"):
        again(make_draft(workspace=sent.workspace))
    stranger = make_workspace()
    with pytest.raises(NoSuchCampaign):
        campaigns.resend_campaign(workspace=stranger, uid=sent.uid, subject="x", by=Metric.OPENS, actor=SYSTEM, now=NOW)


def test_where_opens_were_not_counted_nobody_can_be_told_apart_by_them(sent: Campaign) -> None:
    Content.objects.update(tracks_opens=False)
    with pytest.raises(BadCampaign, match="were not counted"):
        again(sent)
    assert again(sent, by=Metric.CLICKS).resend_by == Metric.CLICKS
