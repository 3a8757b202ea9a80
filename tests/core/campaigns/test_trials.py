"""Variants are tried out on a sample; one wins, once, and the rest gets it."""

import threading
from datetime import datetime, timedelta

import pytest
from django.db import close_old_connections, connections

from postroom.core.campaigns import selectors
from postroom.core.campaigns import services as campaigns
from postroom.core.campaigns.errors import BadCampaign, CampaignState
from postroom.core.campaigns.models import Campaign, Trial
from postroom.core.campaigns.services import trials
from postroom.core.campaigns.types import CampaignChanges, CampaignStatus, Metric, TrialPlan, Words
from postroom.core.events import services as events
from postroom.core.mail import services as mail
from postroom.core.mail.models import Chunk, Content, Message, Recipient
from postroom.core.workspaces.models import AuditEntry, Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.core.campaigns.makers import make_draft
from tests.core.mail.services.bulk import hand_over_all
from tests.factories import NOW, make_contact, make_workspace

pytestmark = pytest.mark.django_db

OTHER = Words(subject="Other words", sender_name="Ada at the desk")
PEOPLE = 24


def at(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def begin(plan: TrialPlan, *, people: int = PEOPLE, workspace: Workspace | None = None) -> Campaign:
    """Return a campaign with two variants whose audience is frozen."""
    room = workspace or make_workspace()
    readers = [make_contact(workspace=room) for _ in range(people)]
    draft = make_draft(workspace=room, readers=readers, variants=(OTHER,), trial=plan)
    campaigns.send_campaign(workspace=room, uid=draft.uid, actor=SYSTEM, now=NOW)
    campaigns.start_campaign(campaign_id=draft.pk, now=NOW)
    return get(draft)


def get(campaign: Campaign) -> Campaign:
    return selectors.get_campaign(workspace=campaign.workspace, uid=campaign.uid)


def send_all(minutes: int = 0) -> int:
    sent = 0
    while work := mail.claim_work(owner="here-1", now=at(minutes)):
        mail.finish_chunk(claim=work.claim, handovers=hand_over_all(work), now=at(minutes))  # type: ignore[arg-type]
        sent += len(work.items)
    return sent


def open_by(campaign: Campaign, letter: str, count: int) -> None:
    """Have ``count`` people who got variant ``letter`` open it."""
    assert campaign.batch is not None
    content = campaign.batch.content_id
    if letter != "A":
        content = campaign.variants.get(letter=letter).content_id  # type: ignore[assignment]
    got = Message.objects.filter(batch=campaign.batch, content_id=content).order_by("pk").values_list("pk", flat=True)
    assert len(got) >= count
    Message.objects.filter(pk__in=list(got[:count])).update(opened_at=NOW)


def test_each_variant_goes_to_a_part_of_the_sample_under_its_own_name_and_the_rest_waits() -> None:
    campaign = begin(TrialPlan(percent=50))
    sampled = send_all()
    assert 0 < sampled < PEOPLE
    first, second = Content.objects.order_by("pk")
    assert (first.from_name, second.subject, second.from_name) == ("", "Other words", "Ada at the desk")
    by_content = {one: Message.objects.filter(content=one).count() for one in (first, second)}
    assert sum(by_content.values()) == sampled
    assert all(by_content.values())
    assert {score.letter: score.delivered for score in selectors.score_variants(campaign=campaign)} == {
        "A": by_content[first],
        "B": by_content[second],
    }
    assert Chunk.objects.filter(ready_at=None).exists()
    assert get(campaign).status == CampaignStatus.SENDING


def test_the_rest_gets_the_winner_after_the_time_said_and_everybody_gets_one_mail() -> None:
    campaign = begin(TrialPlan(percent=90, wait_minutes=60), people=40)
    sampled = send_all()
    open_by(campaign, "B", 11)
    assert campaigns.decide_due_trials(now=at(0)) == 0
    assert campaigns.decide_due_trials(now=at(59)) == 0
    assert campaigns.decide_due_trials(now=at(60)) == 1
    assert campaigns.decide_due_trials(now=at(61)) == 0
    trial = Trial.objects.get()
    assert (trial.winner, trial.decided_at) == ("B", at(60))
    assert "more than of any other" in trial.reason
    assert send_all(61) == 40 - sampled
    assert Message.objects.values("contact_id").distinct().count() == Message.objects.count() == 40
    winner = campaign.variants.get(letter="B").content
    rest = Chunk.objects.filter(content=winner, ready_at=at(60)).values_list("number", flat=True)
    assert Recipient.objects.filter(chunk_number__in=rest).count() == 40 - sampled
    events.dispatch_events(now=at(62))
    assert get(campaign).status == CampaignStatus.SENT
    assert AuditEntry.objects.filter(act="campaign.decided").count() == 1


def test_the_time_runs_from_when_the_last_of_the_sample_was_handed_over() -> None:
    begin(TrialPlan(percent=50, wait_minutes=10))
    assert campaigns.decide_due_trials(now=at(30)) == 0
    send_all(35)
    assert campaigns.decide_due_trials(now=at(40)) == 0
    assert campaigns.decide_due_trials(now=at(49)) == 0
    assert campaigns.decide_due_trials(now=at(50)) == 1
    assert "too few to tell" in Trial.objects.get().reason


def test_enough_people_decide_at_once() -> None:
    campaign = begin(TrialPlan(percent=100, wait_minutes=None, wanted_count=3))
    send_all()
    open_by(campaign, "A", 2)
    assert campaigns.decide_due_trials(now=at(1)) == 0
    open_by(campaign, "A", 3)
    assert campaigns.decide_due_trials(now=at(1)) == 1


def test_by_hand_nothing_is_decided_until_somebody_does_and_then_once() -> None:
    campaign = begin(TrialPlan(percent=50, wait_minutes=None))
    sampled = send_all()
    assert campaigns.decide_due_trials(now=at(100_000)) == 0
    with pytest.raises(BadCampaign, match="no variant D"):
        decide(campaign, "D")
    decide(campaign, "B")
    with pytest.raises(CampaignState, match="nothing to decide"):
        decide(campaign, "A")
    assert send_all(1) == PEOPLE - sampled
    assert Trial.objects.get().winner == "B"


def decide(campaign: Campaign, letter: str) -> None:
    campaigns.decide_trial(workspace=campaign.workspace, uid=campaign.uid, letter=letter, actor=SYSTEM, now=NOW)


def test_a_paused_campaign_is_not_decided_until_it_goes_on() -> None:
    campaign = begin(TrialPlan(percent=50, wait_minutes=10))
    sampled = send_all()
    campaigns.decide_due_trials(now=NOW)
    campaigns.pause_campaign(workspace=campaign.workspace, uid=campaign.uid, actor=SYSTEM, now=NOW)
    assert campaigns.decide_due_trials(now=at(20)) == 0
    campaigns.resume_campaign(workspace=campaign.workspace, uid=campaign.uid, actor=SYSTEM, now=NOW)
    assert campaigns.decide_due_trials(now=at(20)) == 1
    assert send_all(21) == PEOPLE - sampled


def test_a_choice_made_in_a_pause_leaves_when_it_is_over() -> None:
    campaign = begin(TrialPlan(percent=50, wait_minutes=None))
    sampled = send_all()
    campaigns.pause_campaign(workspace=campaign.workspace, uid=campaign.uid, actor=SYSTEM, now=NOW)
    decide(campaign, "B")
    assert send_all(1) == 0
    campaigns.resume_campaign(workspace=campaign.workspace, uid=campaign.uid, actor=SYSTEM, now=NOW)
    assert send_all(2) == PEOPLE - sampled


def test_a_cancelled_campaign_never_lets_the_rest_go() -> None:
    campaign = begin(TrialPlan(percent=50, wait_minutes=1))
    send_all()
    campaigns.cancel_campaign(workspace=campaign.workspace, uid=campaign.uid, actor=SYSTEM, now=NOW)
    assert campaigns.decide_due_trials(now=at(100)) == 0
    with pytest.raises(CampaignState, match="its trial is over"):
        decide(campaign, "A")
    assert send_all(101) == 0


def test_a_test_shows_each_variant_under_its_letter_and_its_name() -> None:
    room = make_workspace()
    draft = make_draft(workspace=room, variants=(OTHER,))
    campaigns.send_test(workspace=room, uid=draft.uid, to=("a@example.com", "b@example.com"), actor=SYSTEM, now=NOW)
    found = Message.objects.order_by("pk").values_list("content__subject", "from_address", "is_test")
    assert draft.sender is not None
    named = f"Ada at the desk <{draft.sender.from_email}>"
    assert (
        list(found)
        == [("[Test A] News for {{ first_name }}", "", True)] * 2 + [("[Test B] Other words", named, True)] * 2
    )


def test_variants_that_say_the_same_are_refused_before_anything_leaves() -> None:
    room = make_workspace()
    twins = (Words(subject="One"), Words(subject="One"))
    draft = make_draft(workspace=room, readers=[make_contact(workspace=room)], variants=twins)
    with pytest.raises(BadCampaign, match="B and C say the same"):
        campaigns.send_campaign(workspace=room, uid=draft.uid, actor=SYSTEM, now=NOW)


def test_a_draft_keeps_its_variants_until_they_are_changed_and_loses_the_trial_with_the_last() -> None:
    room = make_workspace()
    draft = make_draft(workspace=room, variants=(OTHER,), trial=TrialPlan(percent=30, metric=Metric.CLICKS))
    change(draft, name="New name")
    assert (draft.variants.count(), Trial.objects.get().percent) == (1, 30)
    change(draft, variants=(OTHER, Words(subject="Third")))
    assert [row.letter for row in draft.variants.order_by("letter")] == ["B", "C"]
    assert Trial.objects.get().metric == Metric.CLICKS
    with pytest.raises(BadCampaign, match="single line"):
        change(draft, variants=(Words(sender_name="A\r\nBcc: b@example.com"),))
    assert draft.variants.count() == 2
    change(draft, variants=())
    assert (draft.variants.count(), Trial.objects.count()) == (0, 0)


def change(draft: Campaign, **changes: object) -> None:
    campaigns.update_campaign(
        workspace=draft.workspace,
        uid=draft.uid,
        changes=CampaignChanges(**changes),  # type: ignore[arg-type]
        actor=SYSTEM,
        now=NOW,
    )


@pytest.mark.django_db(transaction=True)
def test_of_many_who_decide_at_once_one_does() -> None:
    begin(TrialPlan(percent=50, wait_minutes=1))
    send_all()
    campaigns.decide_due_trials(now=NOW)
    barrier, outcomes = threading.Barrier(4), []

    def decide_now() -> None:
        close_old_connections()
        barrier.wait()
        outcomes.append(campaigns.decide_due_trials(now=at(10)))
        connections.close_all()

    threads = [threading.Thread(target=decide_now) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [0, 0, 0, 1]
    assert AuditEntry.objects.filter(act="campaign.decided").count() == 1


def test_a_decision_that_dies_half_way_leaves_nothing_half_done(monkeypatch: pytest.MonkeyPatch) -> None:
    begin(TrialPlan(percent=50, wait_minutes=1))
    sampled = send_all()
    campaigns.decide_due_trials(now=NOW)

    def die(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(trials, "note", die)
        with pytest.raises(SystemExit):
            campaigns.decide_due_trials(now=at(10))
    assert Trial.objects.get().winner == ""
    assert send_all(11) == 0
    assert campaigns.decide_due_trials(now=at(12)) == 1
    assert send_all(13) == PEOPLE - sampled
