"""A repeating campaign sends a copy of itself by its timetable: each run once, however many look for it."""

import threading
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import close_old_connections, connections

from postroom.core.campaigns import selectors
from postroom.core.campaigns import services as campaigns
from postroom.core.campaigns.errors import BadCampaign, CampaignIncomplete, CampaignState
from postroom.core.campaigns.models import Campaign, Recurrence
from postroom.core.campaigns.services import repeating
from postroom.core.campaigns.types import (
    CampaignChanges,
    CampaignStatus,
    Frequency,
    Repeat,
    RepeatPlan,
    TrialPlan,
    Words,
)
from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import ListMember
from postroom.core.contacts.types import MemberStatus
from postroom.core.mail import services as mail
from postroom.core.mail.models import Batch, Recipient
from postroom.core.workspaces.models import AuditEntry, Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.core.campaigns.makers import make_draft
from tests.factories import NOW, make_contact, make_workspace

pytestmark = pytest.mark.django_db

DAILY = RepeatPlan(Repeat(Frequency.DAILY, time(9)), "Europe/Berlin")
DAY = timedelta(days=1)
FIRST = datetime(2026, 11, 21, 8, tzinfo=UTC)


def repeat(plan: RepeatPlan = DAILY, *, workspace: Workspace | None = None, **changes: object) -> Campaign:
    room = workspace or make_workspace()
    draft = make_draft(workspace=room, readers=[make_contact(workspace=room)], **changes)
    return campaigns.repeat_campaign(workspace=room, uid=draft.uid, plan=plan, actor=SYSTEM, now=NOW)


def act(what: object, campaign: Campaign, now: datetime = NOW) -> Campaign:
    what(workspace=campaign.workspace, uid=campaign.uid, actor=SYSTEM, now=now)  # type: ignore[operator]
    return selectors.get_campaign(workspace=campaign.workspace, uid=campaign.uid)


def test_each_run_is_a_campaign_of_its_own_with_the_words_and_people_of_that_moment() -> None:
    template = repeat(variants=(Words(subject="Other"),), trial=TrialPlan(percent=40))
    assert campaigns.run_due_recurrences(now=FIRST - timedelta(seconds=1)) == 0
    assert campaigns.run_due_recurrences(now=FIRST) == 1
    assert campaigns.run_due_recurrences(now=FIRST) == 0
    run = template.runs.get()
    assert (run.name, run.status) == ("Autumn letter · 21 Nov 2026", CampaignStatus.SENDING)
    assert (run.trial.percent, run.variants.get().subject) == (40, "Other")
    campaigns.start_campaign(campaign_id=run.pk, now=FIRST)
    assert Recipient.objects.count() == 1
    join(template, make_contact(workspace=template.workspace).pk)
    assert campaigns.run_due_recurrences(now=FIRST + DAY) == 1
    second = template.runs.order_by("-id")[0]
    campaigns.start_campaign(campaign_id=second.pk, now=FIRST + DAY)
    assert Batch.objects.order_by("-id")[0].total == 2
    template.refresh_from_db()
    assert template.status == CampaignStatus.REPEATING


def join(campaign: Campaign, contact_id: int) -> None:
    contacts.set_list_member(
        workspace=campaign.workspace,
        list_id=campaign.lists.get().pk,
        contact_id=contact_id,
        status=MemberStatus.SUBSCRIBED,
        source="test",
        actor=SYSTEM,
        now=NOW,
    )


def test_runs_missed_while_nothing_ran_are_made_up_for_by_one() -> None:
    template = repeat()
    late = FIRST + 5 * DAY + timedelta(hours=3)
    assert campaigns.run_due_recurrences(now=late) == 1
    assert campaigns.run_due_recurrences(now=late) == 0
    assert template.runs.count() == 1
    assert Recurrence.objects.get().next_at == FIRST + 6 * DAY


@pytest.mark.parametrize("first", [datetime(2027, 3, 24, 12, tzinfo=UTC), datetime(2027, 10, 27, 12, tzinfo=UTC)])
def test_on_the_nights_the_clock_changes_it_runs_once_like_on_any_other(first: datetime) -> None:
    template = repeat(RepeatPlan(Repeat(Frequency.DAILY, time(2, 30)), "Europe/Berlin"))
    assert campaigns.run_due_recurrences(now=first) == 1, "made up for what was missed"
    ran = [campaigns.run_due_recurrences(now=first + timedelta(minutes=60 * step)) for step in range(7 * 24)]
    assert sum(ran) == 7
    assert template.runs.count() == 8


def test_with_nobody_to_mail_a_run_is_skipped_and_that_is_said() -> None:
    template = repeat()
    ListMember.objects.filter(list_id=template.lists.get().pk).delete()
    assert campaigns.run_due_recurrences(now=FIRST) == 0
    found = Recurrence.objects.get()
    assert (found.run_count, found.skip_count, found.next_at) == (0, 1, FIRST + DAY)
    template.refresh_from_db()
    assert template.error == "Nobody was there to send it to."
    assert AuditEntry.objects.filter(act="campaign.skipped").count() == 1


def test_what_cannot_be_sent_any_more_is_skipped_with_the_reason_and_tried_again_next_time() -> None:
    template = repeat()
    assert template.sender is not None
    template.sender.is_active = False
    template.sender.save()
    assert campaigns.run_due_recurrences(now=FIRST) == 0
    template.refresh_from_db()
    assert "It lacks: sender" in template.error
    template.sender.is_active = True
    template.sender.save()
    assert campaigns.run_due_recurrences(now=FIRST + DAY) == 1
    template.refresh_from_db()
    assert template.error == ""


def test_it_ends_after_the_last_day_or_the_last_run() -> None:
    by_day = repeat(RepeatPlan(DAILY.repeat, "Europe/Berlin", ends_on=date(2026, 11, 22)))
    by_count = repeat(RepeatPlan(DAILY.repeat, "Europe/Berlin", most_runs=2))
    for days in range(4):
        campaigns.run_due_recurrences(now=FIRST + days * DAY)
    for template in (by_day, by_count):
        template.refresh_from_db()
        assert (template.status, template.runs.count()) == (CampaignStatus.SENT, 2)


def test_a_timetable_that_never_comes_is_refused() -> None:
    with pytest.raises(BadCampaign, match="never run"):
        repeat(RepeatPlan(DAILY.repeat, "UTC", ends_on=date(2026, 11, 20)))
    with pytest.raises(BadCampaign, match="at least once"):
        repeat(RepeatPlan(DAILY.repeat, "UTC", most_runs=0))
    with pytest.raises(CampaignIncomplete):
        repeat(subject="")
    assert Recurrence.objects.count() == 0


def test_a_pause_leaves_out_what_falls_into_it_and_cancelling_makes_a_draft_again() -> None:
    template = repeat()
    assert act(campaigns.pause_campaign, template).status == CampaignStatus.PAUSED
    assert campaigns.run_due_recurrences(now=FIRST) == 0
    resumed = act(campaigns.resume_campaign, template, FIRST + timedelta(hours=1))
    assert resumed.status == CampaignStatus.REPEATING
    assert campaigns.run_due_recurrences(now=FIRST + timedelta(hours=1)) == 0
    assert campaigns.run_due_recurrences(now=FIRST + DAY) == 1
    assert act(campaigns.cancel_campaign, template).status == CampaignStatus.DRAFT
    assert campaigns.run_due_recurrences(now=FIRST + 9 * DAY) == 0
    assert template.runs.count() == 1
    changes = CampaignChanges(subject="May be changed")
    campaigns.update_campaign(workspace=template.workspace, uid=template.uid, changes=changes, actor=SYSTEM, now=NOW)


def test_a_paused_one_that_came_to_its_end_meanwhile_says_so() -> None:
    template = repeat(RepeatPlan(DAILY.repeat, "UTC", ends_on=date(2026, 11, 22)))
    act(campaigns.pause_campaign, template)
    with pytest.raises(CampaignState, match="come to its end"):
        act(campaigns.resume_campaign, template, NOW + 9 * DAY)
    assert act(campaigns.cancel_campaign, template).status == CampaignStatus.DRAFT


@pytest.mark.django_db(transaction=True)
def test_of_three_schedulers_one_runs_it_each_time() -> None:
    template = repeat()
    ran: list[int] = []
    barrier = threading.Barrier(3)

    def watch() -> None:
        close_old_connections()
        for days in range(10):
            barrier.wait()
            ran.append(campaigns.run_due_recurrences(now=FIRST + days * DAY))
        connections.close_all()

    threads = [threading.Thread(target=watch) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sum(ran), template.runs.count()) == (10, 10)


@pytest.mark.django_db(transaction=True)
def test_a_run_that_dies_half_way_leaves_nothing_and_runs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    template = repeat()

    def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(repeating, "defer_start_campaign", die)
        with pytest.raises(SystemExit):
            campaigns.run_due_recurrences(now=FIRST)
    assert template.runs.count() == 0
    assert campaigns.run_due_recurrences(now=FIRST) == 1


def test_with_all_mail_stopped_it_waits_and_makes_up_for_it_by_one_run() -> None:
    template = repeat()
    mail.stop_workspace(workspace=template.workspace, actor=SYSTEM, now=NOW)
    assert campaigns.run_due_recurrences(now=FIRST) == 0
    mail.resume_workspace(workspace=template.workspace, actor=SYSTEM, now=FIRST + 3 * DAY)
    assert campaigns.run_due_recurrences(now=FIRST + 3 * DAY) == 1
    assert (template.runs.count(), Recurrence.objects.get().next_at) == (1, FIRST + 4 * DAY)
