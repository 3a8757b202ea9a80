"""A campaign is sent once, to the right people, and its state follows what happens to its mail."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import close_old_connections, connection, connections

from postroom.core.campaigns import services as campaigns
from postroom.core.campaigns.errors import BadCampaign, CampaignIncomplete, CampaignState
from postroom.core.campaigns.jobs import START_CAMPAIGN
from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.types import CampaignStatus
from postroom.core.contacts import services as contacts
from postroom.core.contacts.types import ConsentState, MemberStatus, SuppressionReason, SuppressionScope
from postroom.core.events import services as events
from postroom.core.events.models import DomainEvent
from postroom.core.mail import services as mail
from postroom.core.mail.errors import TemplateRefused
from postroom.core.mail.models import Batch, Content, Message, Recipient, Tally
from postroom.core.mail.types import BatchStatus
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.core.campaigns.makers import make_draft
from tests.factories import NOW, make_contact, make_list, make_user, make_workspace

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def room() -> Workspace:
    """A workspace."""
    return make_workspace()


def send(campaign: Campaign) -> None:
    campaigns.send_campaign(workspace=campaign.workspace, uid=campaign.uid, actor=SYSTEM, now=NOW)


def start(campaign: Campaign) -> Campaign:
    campaigns.start_campaign(campaign_id=campaign.pk, now=NOW)
    return Campaign.objects.select_related("batch").get(pk=campaign.pk)


def act_on(act: Callable[..., object], campaign: Campaign) -> str:
    act(workspace=campaign.workspace, uid=campaign.uid, actor=SYSTEM, now=NOW)
    return status_of(campaign)


def status_of(campaign: Campaign) -> str:
    return Campaign.objects.values_list("status", flat=True).get(pk=campaign.pk)


def waiting_jobs() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = %s AND status = 'todo'", [START_CAMPAIGN.name]
        )
        return int(cursor.fetchone()[0])


def test_an_incomplete_campaign_says_what_it_lacks(room: Workspace) -> None:
    campaign = make_draft(workspace=room, sender_id=None, subject=" ", body="")
    with pytest.raises(CampaignIncomplete, match="sender, subject, body, audience") as refused:
        send(campaign)
    assert refused.value.facts["missing"] == ("sender", "subject", "body", "audience")
    assert status_of(campaign) == CampaignStatus.DRAFT
    assert waiting_jobs() == 0


def test_a_template_that_cannot_be_rendered_is_refused_before_anything_leaves(room: Workspace) -> None:
    draft = make_draft(workspace=room, readers=[make_contact(workspace=room)], body="<p>{{ first_name </p>")
    with pytest.raises(TemplateRefused):
        send(draft)
    assert status_of(draft) == CampaignStatus.DRAFT


def test_a_campaign_reaches_each_person_of_its_lists_once_and_nobody_who_said_no(room: Workspace) -> None:
    ada, ben, eve, dan = (make_contact(workspace=room, first_name=name) for name in ("Ada", "Ben", "Eve", "Dan"))
    make_contact(workspace=room, first_name="Elsewhere")
    first = make_list(workspace=room, members=[ada, ben, eve])
    second = make_list(workspace=room, members=[ben, dan])
    contacts.set_list_member(
        workspace=room,
        list_id=first.pk,
        contact_id=eve.pk,
        status=MemberStatus.UNSUBSCRIBED,
        source="test",
        actor=SYSTEM,
        now=NOW,
    )
    draft = make_draft(workspace=room, list_ids=(first.pk, second.pk))
    send(draft)
    assert waiting_jobs() == 1
    campaign = start(draft)
    assert campaign.status == CampaignStatus.SENDING
    batch = campaign.batch
    assert batch is not None
    accepted = Recipient.objects.filter(batch=batch, fence="").values_list("contact_id", flat=True)
    assert sorted(accepted) == [ada.pk, ben.pk, dan.pk]
    assert (batch.total, batch.status) == (3, BatchStatus.SENDING)


def test_a_category_is_mailed_only_to_those_who_said_yes_to_it(room: Workspace) -> None:
    yes, silent = make_contact(workspace=room), make_contact(workspace=room)
    news = contacts.create_category(workspace=room, name="News", slug="news", actor=SYSTEM, now=NOW)
    contacts.set_consent(
        workspace=room,
        contact_id=yes.pk,
        category_id=news.pk,
        state=ConsentState.GRANTED,
        source="test",
        actor=SYSTEM,
        now=NOW,
    )
    draft = make_draft(workspace=room, category_id=news.pk)
    send(draft)
    batch = start(draft).batch
    assert batch is not None
    assert (batch.total, batch.fenced) == (1, {"no_consent": 1})
    assert Recipient.objects.get(batch=batch, fence="no_consent").contact_id == silent.pk


def test_starting_twice_makes_one_batch(room: Workspace) -> None:
    draft = make_draft(workspace=room, readers=[make_contact(workspace=room)])
    send(draft)
    assert start(draft).batch == start(draft).batch
    assert Batch.objects.count() == 1


def test_sending_twice_is_refused(room: Workspace) -> None:
    draft = make_draft(workspace=room, readers=[make_contact(workspace=room)])
    send(draft)
    with pytest.raises(CampaignState, match="is sending"):
        send(draft)
    assert waiting_jobs() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_send_at_once_one_wins() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs CASCADE")
    room = make_workspace()
    draft = make_draft(workspace=room, readers=[make_contact(workspace=room)])
    barrier, outcomes = threading.Barrier(4), []

    def try_to_send() -> None:
        close_old_connections()
        barrier.wait()
        try:
            send(draft)
            outcomes.append("sent")
        except CampaignState:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=try_to_send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "refused", "refused", "sent"]
    assert waiting_jobs() == 1


def test_a_campaign_becomes_sent_when_its_batch_ends(room: Workspace) -> None:
    draft = make_draft(workspace=room, readers=[make_contact(workspace=room)])
    send(draft)
    batch = start(draft).batch
    assert batch is not None
    Batch.objects.filter(pk=batch.pk).update(status=BatchStatus.DONE)
    campaigns.settle_campaign(batch_id=batch.pk, now=LATER)
    campaign = Campaign.objects.get(pk=draft.pk)
    assert (campaign.status, campaign.finished_at) == (CampaignStatus.SENT, LATER)
    campaigns.settle_campaign(batch_id=batch.pk, now=LATER + timedelta(hours=1))
    assert Campaign.objects.get(pk=draft.pk).finished_at == LATER


def test_a_campaign_that_nobody_may_get_ends_at_once(room: Workspace) -> None:
    reader = make_contact(workspace=room)
    draft = make_draft(workspace=room, readers=[reader])
    send(draft)
    contacts.suppress_address(
        workspace=room,
        email=reader.email or "",
        scope=SuppressionScope.WORKSPACE,
        reason=SuppressionReason.MANUAL,
        detail="",
        actor=SYSTEM,
        now=NOW,
    )
    start(draft)
    events.dispatch_events(now=LATER)
    assert status_of(draft) == CampaignStatus.SENT
    assert Batch.objects.get().fenced == {"manual": 1}


def test_pause_resume_and_cancel_take_the_batch_along(room: Workspace) -> None:
    draft = make_draft(workspace=room, readers=[make_contact(workspace=room)])
    send(draft)
    batch = start(draft).batch
    assert batch is not None
    assert act_on(campaigns.pause_campaign, draft) == CampaignStatus.PAUSED
    assert Batch.objects.get(pk=batch.pk).status == BatchStatus.PAUSED
    with pytest.raises(CampaignState):
        act_on(campaigns.pause_campaign, draft)
    assert act_on(campaigns.resume_campaign, draft) == CampaignStatus.SENDING
    assert Batch.objects.get(pk=batch.pk).status == BatchStatus.SENDING
    events.dispatch_events(now=NOW)
    assert status_of(draft) == CampaignStatus.SENDING, "news of the pause came late and changes nothing"
    assert act_on(campaigns.cancel_campaign, draft) == CampaignStatus.CANCELLED
    assert Batch.objects.get(pk=batch.pk).status == BatchStatus.CANCELLED
    with pytest.raises(CampaignState):
        act_on(campaigns.resume_campaign, draft)


def test_a_pause_before_the_start_holds_and_a_resume_starts(room: Workspace) -> None:
    draft = make_draft(workspace=room, readers=[make_contact(workspace=room)])
    send(draft)
    act_on(campaigns.pause_campaign, draft)
    assert start(draft).batch is None
    act_on(campaigns.resume_campaign, draft)
    assert waiting_jobs() == 2
    assert start(draft).batch is not None


def test_a_batch_that_pauses_itself_pauses_the_campaign_and_says_why(room: Workspace) -> None:
    draft = make_draft(workspace=room, readers=[make_contact(workspace=room)])
    send(draft)
    batch = start(draft).batch
    assert batch is not None
    mail.report_sender_failure(sender_id=batch.sender_id, error="535 wrong password", permanent=True, now=LATER)
    events.dispatch_events(now=LATER)
    campaign = Campaign.objects.get(pk=draft.pk)
    assert (campaign.status, campaign.error) == (CampaignStatus.PAUSED, "535 wrong password")
    act_on(campaigns.resume_campaign, draft)
    assert Campaign.objects.get(pk=draft.pk).error == ""


def test_a_campaign_that_stops_itself_tells_its_author_once_by_mail() -> None:
    room = make_workspace()
    author = make_user(workspace=room)
    draft = make_draft(workspace=room, readers=[make_contact(workspace=room)])
    Campaign.objects.update(created_by=author)
    send(draft)
    batch = start(draft).batch
    assert batch is not None
    Tally.objects.create(batch=batch, destination="other", content=batch.content, handed_over=970, bounced=30)
    assert mail.check_brakes(batch_id=batch.pk, now=LATER)
    for _ in range(2):
        events.dispatch_events(now=LATER)
        DomainEvent.objects.filter(name="mail.batch_braked").update(dispatched_at=None)

    campaign = Campaign.objects.get(pk=draft.pk)
    assert campaign.status == CampaignStatus.PAUSED
    assert campaign.error.startswith("3 % of the first 1,000 messages bounced")
    notice = Message.objects.get(message_class="system")
    assert notice.to == [author.email]
    assert notice.slots["subject"] == f"{campaign.name} has stopped itself"
    assert str(campaign.uid) in notice.slots["url"]


def test_a_finished_campaign_cannot_be_paused(room: Workspace) -> None:
    draft = make_draft(workspace=room, readers=[make_contact(workspace=room)])
    send(draft)
    batch = start(draft).batch
    assert batch is not None
    Batch.objects.filter(pk=batch.pk).update(status=BatchStatus.DONE)
    with pytest.raises(CampaignState, match="in the meantime"):
        act_on(campaigns.pause_campaign, draft)
    assert status_of(draft) == CampaignStatus.SENDING


def test_a_scheduled_campaign_starts_once_its_time_has_come(room: Workspace) -> None:
    draft = make_draft(workspace=room, readers=[make_contact(workspace=room)])
    with pytest.raises(BadCampaign, match="passed"):
        campaigns.schedule_campaign(workspace=room, uid=draft.uid, at=NOW, actor=SYSTEM, now=NOW)
    campaigns.schedule_campaign(workspace=room, uid=draft.uid, at=LATER, actor=SYSTEM, now=NOW)
    assert campaigns.start_due_campaigns(now=LATER - timedelta(seconds=1)) == 0
    assert campaigns.start_due_campaigns(now=LATER) == 1
    assert campaigns.start_due_campaigns(now=LATER) == 0
    assert status_of(draft) == CampaignStatus.SENDING
    assert waiting_jobs() == 1


def test_a_scheduled_campaign_that_is_cancelled_is_a_draft_again(room: Workspace) -> None:
    draft = make_draft(workspace=room, readers=[make_contact(workspace=room)])
    campaigns.schedule_campaign(workspace=room, uid=draft.uid, at=LATER, actor=SYSTEM, now=NOW)
    assert act_on(campaigns.cancel_campaign, draft) == CampaignStatus.DRAFT
    assert campaigns.start_due_campaigns(now=LATER) == 0


def test_what_cannot_be_started_fails_with_the_reason_and_leaves_no_batch(room: Workspace) -> None:
    draft = make_draft(workspace=room, readers=[make_contact(workspace=room)])
    send(draft)
    Campaign.objects.filter(pk=draft.pk).update(body="<p>{{ first_name </p>")
    campaign = start(draft)
    assert (campaign.status, campaign.batch) == (CampaignStatus.FAILED, None)
    assert campaign.error
    assert Batch.objects.count() == 0


def test_a_start_that_is_given_up_says_why_and_the_campaign_can_be_sent_again(room: Workspace) -> None:
    draft = make_draft(workspace=room, readers=[make_contact(workspace=room)])
    campaigns.fail_campaign(campaign_id=draft.pk, reason="not even sent", now=NOW)
    assert status_of(draft) == CampaignStatus.DRAFT
    send(draft)
    campaigns.fail_campaign(campaign_id=draft.pk, reason="The disk is full.", now=NOW)
    campaign = start(draft)
    assert (campaign.status, campaign.error, campaign.batch) == (CampaignStatus.FAILED, "The disk is full.", None)
    assert act_on(campaigns.cancel_campaign, draft) == CampaignStatus.DRAFT
    send(draft)
    campaign = start(draft)
    assert (campaign.status, campaign.error) == (CampaignStatus.SENDING, "")
    campaigns.fail_campaign(campaign_id=draft.pk, reason="too late", now=NOW)
    assert status_of(draft) == CampaignStatus.SENDING


def test_a_test_is_marked_and_belongs_to_no_batch(room: Workspace) -> None:
    draft = make_draft(workspace=room)
    (accepted,) = campaigns.send_test(workspace=room, uid=draft.uid, to=("me@example.com",), actor=SYSTEM, now=NOW)
    message = Message.objects.get(pk=accepted.id)
    assert (message.is_test, message.batch, message.to) == (True, None, ["me@example.com"])
    assert Content.objects.get(pk=message.content_id).subject.startswith("[Test] ")
    with pytest.raises(BadCampaign, match="1 to 10"):
        campaigns.send_test(workspace=room, uid=draft.uid, to=(), actor=SYSTEM, now=NOW)
    assert status_of(draft) == CampaignStatus.DRAFT
