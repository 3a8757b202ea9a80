"""Acts of programs in any state of a campaign: what moves, what stands, and who gets it when."""

from collections.abc import Callable
from datetime import time, timedelta

import pytest

from postroom.core.campaigns import selectors
from postroom.core.campaigns import services as campaigns
from postroom.core.campaigns.errors import BadCampaign, NobodyToMail, NothingToSay
from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.types import (
    CampaignChanges,
    CampaignStatus,
    Frequency,
    Metric,
    Repeat,
    RepeatPlan,
    WrittenCampaign,
)
from postroom.core.contacts.models import Contact, ListMember
from postroom.core.events import services as events
from postroom.core.mail import services as mail
from postroom.core.mail.models import Batch, Chunk, Message, Recipient
from postroom.core.mail.selectors import count_batch
from postroom.core.mail.types import BatchStatus, ChunkClaim
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.core.campaigns.makers import make_draft
from tests.core.mail.services.bulk import claim, hand_over_all
from tests.factories import NOW, make_contact, make_list, make_workspace

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def room() -> Workspace:
    return make_workspace()


@pytest.fixture
def readers(room: Workspace) -> list[Contact]:
    return [make_contact(workspace=room) for _ in range(3)]


def schedule(campaign: Campaign, **more: object) -> str:
    fields = {"workspace": campaign.workspace, "uid": campaign.uid, "at": None, "actor": SYSTEM, "now": NOW, **more}
    campaigns.schedule_anytime(**fields)  # type: ignore[arg-type]
    return status_of(campaign)


def act(service: Callable[..., object], campaign: Campaign) -> str:
    service(workspace=campaign.workspace, uid=campaign.uid, actor=SYSTEM, now=NOW)
    return status_of(campaign)


def status_of(campaign: Campaign) -> str:
    return Campaign.objects.values_list("status", flat=True).get(pk=campaign.pk)


def begin(campaign: Campaign) -> Batch:
    campaigns.start_due_campaigns(now=NOW)
    campaigns.start_campaign(campaign_id=campaign.pk, now=NOW)
    batch = Campaign.objects.select_related("batch").get(pk=campaign.pk).batch
    assert batch is not None
    return batch


def deliver() -> list[str]:
    """Hand over whatever waits, and say to whom."""
    found: list[str] = []
    while work := mail.claim_work(owner="here-1", now=NOW):
        assert isinstance(work.claim, ChunkClaim)
        mail.finish_chunk(claim=work.claim, handovers=hand_over_all(work), now=NOW)
        found += [item.to[0] for item in work.items]
    events.dispatch_events(now=NOW)
    return sorted(found)


@pytest.mark.parametrize("state", [one for one in CampaignStatus if one != CampaignStatus.SENDING])
def test_a_campaign_in_any_state_is_scheduled_paused_and_resumed(
    room: Workspace, readers: list[Contact], state: CampaignStatus
) -> None:
    draft = make_draft(workspace=room, readers=readers)
    Campaign.objects.update(status=state)
    assert schedule(draft, at=LATER) == CampaignStatus.SCHEDULED
    Campaign.objects.update(status=state)
    assert act(campaigns.pause_anytime, draft) == CampaignStatus.PAUSED
    Campaign.objects.update(status=state)
    expected = CampaignStatus.REPEATING if state == CampaignStatus.REPEATING else CampaignStatus.SCHEDULED
    assert act(campaigns.resume_anytime, draft) == expected


def test_what_is_scheduled_by_mistake_is_refused_with_the_reason(room: Workspace, readers: list[Contact]) -> None:
    empty = make_draft(workspace=room, readers=readers, body=" ")
    for attempt in (schedule, lambda one: act(campaigns.resume_anytime, one)):
        with pytest.raises(NothingToSay):
            attempt(empty)
    lonely = make_draft(workspace=room, readers=readers)
    ListMember.objects.update(status="pending")
    with pytest.raises(NobodyToMail):
        schedule(lonely)
    assert act(campaigns.resume_anytime, lonely) == CampaignStatus.SENDING
    begin(lonely)
    events.dispatch_events(now=NOW)
    assert status_of(lonely) == CampaignStatus.SENT
    with pytest.raises(BadCampaign):
        schedule(make_draft(workspace=room), batch_size=0)


def test_a_campaign_that_repeats_stops_repeating_when_it_is_scheduled(room: Workspace, readers: list[Contact]) -> None:
    draft = make_draft(workspace=room, readers=readers)
    plan = RepeatPlan(Repeat(Frequency.DAILY, time(9)), "UTC")
    campaigns.repeat_campaign(workspace=room, uid=draft.uid, plan=plan, actor=SYSTEM, now=NOW)
    assert act(campaigns.pause_anytime, draft) == CampaignStatus.PAUSED
    assert act(campaigns.resume_anytime, draft) == CampaignStatus.REPEATING
    assert schedule(draft) == CampaignStatus.SCHEDULED
    begin(draft)
    assert len(deliver()) == 3


def test_a_campaign_that_was_cancelled_half_way_goes_on_with_those_it_left_out(
    room: Workspace, readers: list[Contact], settings: object
) -> None:
    settings.SENDER_CHUNK_SIZE = 1  # type: ignore[attr-defined]
    draft = make_draft(workspace=room, readers=readers)
    schedule(draft)
    batch = begin(draft)
    work = claim()
    assert isinstance(work.claim, ChunkClaim)
    mail.finish_chunk(claim=work.claim, handovers=hand_over_all(work), now=NOW)
    assert act(campaigns.cancel_campaign, draft) == CampaignStatus.CANCELLED
    before = count_batch(batch_id=batch.pk)
    assert (before.total, before.delivered, before.cancelled) == (3, 1, 2)
    assert schedule(draft) == CampaignStatus.SCHEDULED
    assert begin(draft).pk == batch.pk
    assert len(deliver()) == 2
    after = count_batch(batch_id=batch.pk)
    assert (after.total, after.delivered, after.cancelled, after.pending) == (3, 3, 0, 0)
    assert Message.objects.values("contact").distinct().count() == Recipient.objects.count() == 3
    assert status_of(draft) == CampaignStatus.SENT


def test_a_round_that_is_run_twice_mails_nobody_twice(room: Workspace, readers: list[Contact]) -> None:
    draft = make_draft(workspace=room, readers=readers)
    schedule(draft)
    begin(draft)
    begin(draft)
    assert len(deliver()) == 3
    newcomer = make_contact(workspace=room)
    ListMember.objects.create(
        list=draft.lists.get(), contact=newcomer, status="subscribed", created_at=NOW, updated_at=NOW
    )
    schedule(draft)
    begin(draft)
    begin(draft)
    assert deliver() == [newcomer.email]
    assert Chunk.objects.values("number").distinct().count() == Chunk.objects.count()


def test_a_round_that_fails_says_why_and_leaves_the_first_as_it_was(room: Workspace, readers: list[Contact]) -> None:
    draft = make_draft(workspace=room, readers=readers)
    schedule(draft)
    batch = begin(draft)
    deliver()
    schedule(draft)
    campaigns.start_due_campaigns(now=NOW)
    assert Batch.objects.get().status == BatchStatus.FREEZING
    campaigns.fail_campaign(campaign_id=draft.pk, reason="the disk is full", now=NOW)
    found = Campaign.objects.get(pk=draft.pk)
    assert (found.status, found.error, found.batch_id) == (CampaignStatus.FAILED, "the disk is full", batch.pk)
    assert count_batch(batch_id=batch.pk).delivered == 3
    schedule(draft)
    begin(draft)
    deliver()
    assert status_of(draft) == CampaignStatus.SENT


def test_a_pause_between_rounds_holds_and_a_resume_goes_on(room: Workspace, readers: list[Contact]) -> None:
    draft = make_draft(workspace=room, readers=readers)
    schedule(draft)
    begin(draft)
    deliver()
    schedule(draft)
    campaigns.start_due_campaigns(now=NOW)
    assert act(campaigns.pause_campaign, draft) == CampaignStatus.PAUSED
    campaigns.start_campaign(campaign_id=draft.pk, now=NOW)
    assert Batch.objects.get().status == BatchStatus.FREEZING
    assert act(campaigns.resume_campaign, draft) == CampaignStatus.SENDING
    campaigns.start_campaign(campaign_id=draft.pk, now=NOW)
    events.dispatch_events(now=NOW)
    assert status_of(draft) == CampaignStatus.SENT


def test_a_campaign_whose_senders_still_stop_begins_once_they_have(room: Workspace, readers: list[Contact]) -> None:
    draft = make_draft(workspace=room, readers=readers)
    schedule(draft)
    begin(draft)
    work = claim()
    act(campaigns.cancel_campaign, draft)
    assert Batch.objects.get().status == BatchStatus.CANCELLING
    schedule(draft)
    assert campaigns.start_due_campaigns(now=NOW) == 0
    assert isinstance(work.claim, ChunkClaim)
    mail.finish_chunk(claim=work.claim, handovers=hand_over_all(work), now=NOW)
    assert campaigns.start_due_campaigns(now=NOW) == 1
    campaigns.start_campaign(campaign_id=draft.pk, now=NOW)
    assert deliver() == []
    assert count_batch(batch_id=Batch.objects.get().pk).delivered == 3


def test_a_campaign_put_off_is_called_off_for_good(room: Workspace, readers: list[Contact]) -> None:
    draft = make_draft(workspace=room, readers=readers)
    schedule(draft)
    begin(draft)
    assert schedule(draft, at=LATER) == CampaignStatus.SCHEDULED
    assert act(campaigns.cancel_campaign, draft) == CampaignStatus.CANCELLED
    assert deliver() == []
    held = make_draft(workspace=room, readers=[make_contact(workspace=room)])
    act(campaigns.pause_anytime, held)
    assert act(campaigns.cancel_campaign, held) == CampaignStatus.DRAFT


def test_what_is_sent_again_to_the_unmoved_keeps_its_first_campaign(room: Workspace, readers: list[Contact]) -> None:
    draft = make_draft(workspace=room, readers=readers)
    schedule(draft)
    begin(draft)
    deliver()
    again = campaigns.resend_campaign(
        workspace=room, uid=draft.uid, subject="Did you see?", by=Metric.OPENS, actor=SYSTEM, now=NOW
    )
    with pytest.raises(BadCampaign, match="cannot be deleted"):
        campaigns.delete_campaign(workspace=room, uid=draft.uid, actor=SYSTEM, now=NOW)
    campaigns.delete_campaign(workspace=room, uid=again.uid, actor=SYSTEM, now=NOW)
    campaigns.delete_campaign(workspace=room, uid=draft.uid, actor=SYSTEM, now=NOW)
    assert Message.objects.count() == 3


def test_what_a_program_wrote_is_forgotten_once_somebody_writes_over_it(room: Workspace) -> None:
    list_ = make_list(workspace=room, members=[make_contact(workspace=room)])
    new = WrittenCampaign(
        name="Spring",
        from_address="Shop <shop@acme.example>",
        subject="For {{firstName}}",
        list_uid=list_.uid,
        html="<p>{{usesend_unsubscribe_url}}</p>",
        preheader="Hi {{email}}",
    )
    made = campaigns.write_campaign(workspace=room, new=new, actor=SYSTEM, now=NOW)
    assert (made.subject, made.preheader) == ("For {{ first_name }}", "Hi {{ email }}")

    def change(**fields: object) -> Campaign:
        changes = CampaignChanges(**fields)  # type: ignore[arg-type]
        return campaigns.update_campaign(workspace=room, uid=made.uid, changes=changes, actor=SYSTEM, now=NOW)

    same = change(subject=made.subject, body=made.body, preheader=made.preheader)
    assert (same.source_subject, same.source_html) == ("For {{firstName}}", "<p>{{usesend_unsubscribe_url}}</p>")
    changed = change(subject="For all", body="<p>Hi</p>", preheader="")
    assert (changed.source_subject, changed.source_html, changed.source_preheader) == ("", "", "")
    assert change(sender_id=None).from_address == ""


def test_a_campaign_to_come_says_how_many_it_is_for(room: Workspace, readers: list[Contact]) -> None:
    one = make_draft(workspace=room, readers=readers)
    both = make_draft(workspace=room)
    lists = [one.lists.get().pk, make_list(workspace=room, members=readers[:2]).pk]
    changes = CampaignChanges(list_ids=tuple(lists))
    campaigns.update_campaign(workspace=room, uid=both.uid, changes=changes, actor=SYSTEM, now=NOW)
    everybody = make_draft(workspace=room)
    make_contact(workspace=room)
    for campaign in (one, both, everybody):
        schedule(campaign, at=LATER)
    found, _ = selectors.find_campaigns(workspace=room, number=1, size=30)
    figures = selectors.list_figures(campaigns=found, now=NOW)
    assert [figures[campaign.pk].total for campaign in (one, both, everybody)] == [3, 3, 4]
