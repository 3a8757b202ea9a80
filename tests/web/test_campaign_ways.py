"""The ways a campaign goes out, and how its page shows them: variants, the reader's clock, a timetable, once more."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from postroom.core.campaigns import services
from postroom.core.campaigns.models import Campaign, Recurrence, Trial
from postroom.core.campaigns.types import CampaignStatus, Frequency, Metric, Repeat, RepeatPlan, TrialPlan, Words
from postroom.core.contacts.models import Contact
from postroom.core.events import services as events
from postroom.core.mail import services as mail
from postroom.core.mail.models import DestinationRest, Message
from postroom.core.mail.types import NewLimit, NewSender, Per, Provider
from postroom.core.workspaces.models import Workspace
from postroom.kit import clock
from tests.core.campaigns.makers import make_draft
from tests.core.mail.services.bulk import hand_over_all
from tests.factories import make_actor, make_contact
from tests.web.test_campaigns import draft_form

pytestmark = pytest.mark.django_db

OTHER = Words(subject="Other words", sender_name="Ada")


def page_of(client: Client, workspace: Workspace, uid: UUID, ending: str = "") -> str:
    response = client.get(f"/w/{workspace.slug}/campaigns/{uid}/{ending}", follow=True)
    assert response.status_code == 200
    return response.content.decode()


def readers_of(workspace: Workspace, *addresses: str) -> list[Contact]:
    return [make_contact(workspace=workspace, email=address) for address in addresses]


def begin(workspace: Workspace, draft: Campaign) -> Campaign:
    """Send a draft and freeze its audience."""
    now = clock.now()
    services.send_campaign(workspace=workspace, uid=draft.uid, actor=make_actor(), now=now)
    services.start_campaign(campaign_id=draft.pk, now=now)
    return Campaign.objects.get(pk=draft.pk)


def send_all() -> None:
    now = clock.now() + timedelta(seconds=5)
    while work := mail.claim_work(owner="here-1", now=now):
        mail.finish_chunk(claim=work.claim, handovers=hand_over_all(work), now=now)  # type: ignore[arg-type]
    events.dispatch_events(now=now)


def make_tried_out(workspace: Workspace) -> Campaign:
    """Return a campaign whose sample has gone out to four providers and whose rest waits for a person's choice."""
    domains = ("gmail.com", "outlook.com", "yahoo.com", "example.org")
    readers = readers_of(workspace, *(f"p{number}@{domain}" for number in range(6) for domain in domains))
    plan = TrialPlan(percent=60, wait_minutes=None)
    campaign = begin(workspace, make_draft(workspace=workspace, readers=readers, variants=(OTHER,), trial=plan))
    send_all()
    return campaign


def make_repeating(workspace: Workspace) -> Campaign:
    """Return a campaign that has run once."""
    draft = make_draft(workspace=workspace, readers=readers_of(workspace, "again@example.com"))
    plan = RepeatPlan(Repeat(Frequency.WEEKLY, time(9), weekdays=(0, 3)), "Europe/Berlin", most_runs=12)
    now = clock.now()
    services.repeat_campaign(workspace=workspace, uid=draft.uid, plan=plan, actor=make_actor(), now=now)
    services.run_due_recurrences(now=now + timedelta(days=7))
    return draft


def test_variants_are_written_in_the_composer_and_tried_out(as_owner: Client, workspace: Workspace) -> None:
    draft = make_draft(workspace=workspace)
    form = draft_form(
        workspace,
        B_subject="Other words",
        C_sender_name="Ada",
        percent="30",
        metric="clicks",
        wait_minutes="120",
        wanted_count="50",
    )
    saved = as_owner.post(f"/w/{workspace.slug}/campaigns/{draft.uid}/", {**form, "review": "1"}, follow=True)
    page = saved.content.decode()
    assert "Variant C" in page
    assert "30 % of them; the rest gets the one that most people click in, 2 hours after" in page
    assert [(row.letter, row.subject, row.sender_name) for row in draft.variants.order_by("letter")] == [
        ("B", "Other words", ""),
        ("C", "", "Ada"),
    ]
    trial = Trial.objects.get()
    assert (trial.percent, trial.metric, trial.wait_minutes, trial.wanted_count) == (30, "clicks", 120, 50)
    composer = page_of(as_owner, workspace, draft.uid)
    assert 'value="Other words"' in composer


def test_the_preview_shows_the_variant_that_is_chosen(as_viewer: Client, workspace: Workspace) -> None:
    form = draft_form(workspace, B_subject="Other words for {{ first_name }}", variant="B")
    page = as_viewer.post(f"/w/{workspace.slug}/campaigns/preview/", form).content.decode()
    assert "Other words for Alex" in page
    assert "Hello Alex" in page
    first = as_viewer.post(f"/w/{workspace.slug}/campaigns/preview/", {**form, "variant": "A"}).content.decode()
    assert "News for Alex" in first


def test_without_variants_there_is_no_trial(as_owner: Client, workspace: Workspace) -> None:
    draft = make_draft(workspace=workspace, variants=(OTHER,), trial=TrialPlan())
    as_owner.post(f"/w/{workspace.slug}/campaigns/{draft.uid}/", draft_form(workspace))
    assert (Trial.objects.count(), draft.variants.count()) == (0, 0)


def test_the_page_shows_how_variants_did_and_lets_a_person_choose(as_owner: Client, workspace: Workspace) -> None:
    readers = readers_of(workspace, *(f"p{number}@gmail.com" for number in range(30)))
    plan = TrialPlan(percent=60, wait_minutes=None)
    campaign = begin(workspace, make_draft(workspace=workspace, readers=readers, variants=(OTHER,), trial=plan))
    send_all()
    page = page_of(as_owner, workspace, campaign.uid, "report/")
    assert "when you choose it" in page
    assert "Too few people have acted" in page
    assert "for the winner" in page
    chosen = as_owner.post(f"/w/{workspace.slug}/campaigns/{campaign.uid}/decide/", {"letter": "B"}, follow=True)
    assert "B won" in chosen.content.decode()
    assert "for the winner" not in chosen.content.decode()
    again = as_owner.post(f"/w/{workspace.slug}/campaigns/{campaign.uid}/decide/", {"letter": "A"}, follow=True)
    assert "nothing to decide" in again.content.decode()
    send_all()
    assert Message.objects.values("contact").distinct().count() == 30


def test_a_viewer_sees_variants_and_chooses_nothing(as_viewer: Client, workspace: Workspace) -> None:
    plan = TrialPlan(percent=60, wait_minutes=None)
    readers = readers_of(workspace, *(f"p{number}@gmail.com" for number in range(9)))
    campaign = begin(workspace, make_draft(workspace=workspace, readers=readers, variants=(OTHER,), trial=plan))
    assert "to the rest</button>" not in page_of(as_viewer, workspace, campaign.uid, "report/")
    refused = as_viewer.post(f"/w/{workspace.slug}/campaigns/{campaign.uid}/decide/", {"letter": "B"})
    assert refused.status_code == 403


def test_who_gets_it_when_is_said_before_it_goes_by_the_readers_clock(as_owner: Client, workspace: Workspace) -> None:
    readers = readers_of(workspace, "a@example.com", "b@example.com", "c@example.com")
    for reader, zone in zip(readers, ("Pacific/Kiritimati", "Pacific/Pago_Pago", ""), strict=True):
        Contact.objects.filter(pk=reader.pk).update(timezone=zone)
    draft = make_draft(workspace=workspace, readers=readers)
    wall = clock.now().replace(tzinfo=None) + timedelta(hours=3)
    asked = {"at": f"{wall:%Y-%m-%dT%H:%M}", "by": "reader"}
    here = f"/w/{workspace.slug}/campaigns/{draft.uid}"
    for headers in ({}, {"HX-Request": "true"}):
        page = as_owner.get(f"{here}/waves/", asked, headers=headers).content.decode()
        assert "at once</strong>: it has passed there" in page
        assert page.index("Pacific/Kiritimati") < page.index("no zone known") < page.index("Pacific/Pago_Pago")
    assert "This field is required" not in as_owner.get(f"{here}/waves/").content.decode(), "nothing was asked yet"
    as_owner.post(f"{here}/schedule/", asked)
    draft.refresh_from_db()
    assert draft.status == CampaignStatus.SCHEDULED
    assert datetime.combine(draft.local_date, draft.local_time) == wall.replace(second=0, microsecond=0)  # type: ignore[arg-type]
    assert "by each reader's own clock" in page_of(as_owner, workspace, draft.uid).replace("&#x27;", "'")


def test_what_cannot_be_scheduled_is_said_beside_the_form(as_owner: Client, workspace: Workspace) -> None:
    draft = make_draft(workspace=workspace, readers=readers_of(workspace, "a@example.com"))
    here = f"/w/{workspace.slug}/campaigns/{draft.uid}/schedule/"
    for asked, words in (
        ({"at": "2020-01-01T09:00"}, "has passed already"),
        ({"at": "2020-01-01T09:00", "by": "reader"}, "passed everywhere"),
        ({"at": ""}, "This field is required"),
    ):
        assert words in as_owner.post(here, asked).content.decode()
    draft.refresh_from_db()
    assert draft.status == CampaignStatus.DRAFT


def test_a_time_in_words_is_echoed_before_it_holds(as_owner: Client, workspace: Workspace) -> None:
    type(workspace).objects.update(timezone="America/New_York")
    draft = make_draft(workspace=workspace, readers=readers_of(workspace, "a@example.com"))
    here = f"/w/{workspace.slug}/campaigns/{draft.uid}"
    page = as_owner.get(f"{here}/waves/", {"at": "", "words": "10 march 2031 3pm"}, headers={"HX-Request": "true"})
    assert "That is <strong>Monday, 10 March 2031, 15:00</strong>, America/New_York." in page.content.decode()
    page = as_owner.get(f"{here}/waves/", {"words": "some day"}, headers={"HX-Request": "true"})
    assert "This is no time that can be read" in page.content.decode()
    assert "This is no time that can be read" in as_owner.post(f"{here}/schedule/", {"words": "soon"}).content.decode()
    as_owner.post(f"{here}/schedule/", {"at": "2030-01-01T09:00", "words": "10 march 2031 3pm"})
    draft.refresh_from_db()
    assert (draft.status, draft.scheduled_at) == (CampaignStatus.SCHEDULED, datetime(2031, 3, 10, 19, tzinfo=UTC))


def test_a_campaign_goes_out_in_portions_as_its_author_says(as_owner: Client, workspace: Workspace) -> None:
    draft = make_draft(workspace=workspace, readers=readers_of(workspace, "a@example.com"))
    form = {
        "name": "x",
        "audience": "everyone",
        "subject": "Hi",
        "body_format": "html",
        "body": "<p>x</p>",
        "sender_id": draft.sender_id,
        "batch_size": "200",
        "batch_window_minutes": "30",
        "percent": "20",
        "metric": "opens",
    }
    here = f"/w/{workspace.slug}/campaigns/{draft.uid}/"
    saved = as_owner.post(here, form)
    assert saved.status_code == 302, saved.content.decode()
    draft.refresh_from_db()
    assert (draft.batch_size, draft.batch_window_minutes) == (200, 30)
    assert "200 people every 30 minutes" in as_owner.get(f"{here}send/").content.decode()
    assert (
        "less than or equal to 10080" in as_owner.post(here, {**form, "batch_window_minutes": "10081"}).content.decode()
    )
    as_owner.post(here, {**form, "batch_size": "", "batch_window_minutes": ""})
    draft.refresh_from_db()
    assert (draft.batch_size, draft.batch_window_minutes) == (500, 0)


def test_a_campaign_repeats_runs_pauses_and_stops(as_owner: Client, workspace: Workspace) -> None:
    draft = make_draft(workspace=workspace, readers=readers_of(workspace, "a@example.com"))
    here = f"/w/{workspace.slug}/campaigns/{draft.uid}"
    asked = {"frequency": "weekly", "weekdays": ["0", "3"], "time": "09:00", "most_runs": "5", "day": "1"}
    page = as_owner.post(f"{here}/repeat/", asked, follow=True).content.decode()
    assert "Goes out every Monday and Thursday at 09:00" in page
    assert "at most 5 times" in page
    assert "Nothing has gone out yet" in page
    next_at = Recurrence.objects.get().next_at
    assert next_at is not None
    services.run_due_recurrences(now=next_at)
    assert "1 run so far" in page_of(as_owner, workspace, draft.uid)
    as_owner.post(f"{here}/pause/")
    assert "Resume</button>" in page_of(as_owner, workspace, draft.uid)
    as_owner.post(f"{here}/resume/")
    assert "Repeating" in page_of(as_owner, workspace, draft.uid)
    assert "next " in as_owner.get(f"/w/{workspace.slug}/campaigns/").content.decode()
    as_owner.post(f"{here}/cancel/")
    draft.refresh_from_db()
    assert draft.status == CampaignStatus.DRAFT


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"frequency": "weekly", "time": "09:00"}, "Choose at least one day"),
        ({"frequency": "daily", "time": "25:00"}, "Enter a valid time"),
        ({"frequency": "daily", "time": "09:00", "ends_on": "2020-01-01"}, "never run"),
        ({"frequency": "daily", "time": "09:00", "most_runs": "0"}, "greater than or equal to 1"),
    ],
)
def test_a_timetable_that_makes_no_sense_is_said_and_nothing_repeats(
    as_owner: Client, workspace: Workspace, asked: dict[str, str], words: str
) -> None:
    draft = make_draft(workspace=workspace, readers=readers_of(workspace, "a@example.com"))
    page = as_owner.post(f"/w/{workspace.slug}/campaigns/{draft.uid}/repeat/", asked).content.decode()
    assert words in page
    assert Recurrence.objects.count() == 0


def test_it_is_sent_again_to_those_it_did_not_move(as_owner: Client, workspace: Workspace) -> None:
    readers = readers_of(workspace, "a@example.com", "b@example.com", "c@example.com")
    campaign = begin(workspace, make_draft(workspace=workspace, readers=readers))
    send_all()
    Message.objects.filter(contact=readers[0]).update(opened_at=clock.now())
    here = f"/w/{workspace.slug}/campaigns/{campaign.uid}"
    assert "Send it again to those it did not move" in page_of(as_owner, workspace, campaign.uid, "report/")
    same = as_owner.post(f"{here}/again/", {"by": "opens", "subject": campaign.subject}, follow=True)
    assert "another subject" in same.content.decode()
    made = as_owner.post(f"{here}/again/", {"by": "opens", "subject": "Once more"}, follow=True)
    page = made.content.decode()
    assert "and did not open it" in page
    draft = Campaign.objects.get(resend_of=campaign)
    saved = as_owner.post(
        f"/w/{workspace.slug}/campaigns/{draft.uid}/",
        {**draft_form(workspace, name="Again", list_ids=[]), "review": "1"},
        follow=True,
    )
    assert "Send to 2 people" in saved.content.decode()
    assert [one.pk for one in draft.lists.all()] == [one.pk for one in campaign.lists.all()]


def test_the_report_parts_people_by_mailbox_provider(as_viewer: Client, workspace: Workspace) -> None:
    readers = readers_of(workspace, "a@gmail.com", "b@googlemail.com", "c@outlook.com", "d@example.com")
    campaign = begin(workspace, make_draft(workspace=workspace, readers=readers))
    send_all()
    page = page_of(as_viewer, workspace, campaign.uid, "report/")
    table = page[page.index('id="destinations"') :]
    assert table.index("Gmail") < table.index("Everybody else")
    assert "Outlook and Hotmail" in table


@pytest.mark.parametrize("readers", [2, 24])
def test_the_report_costs_the_same_however_many_people_and_variants_there_are(
    as_viewer: Client, workspace: Workspace, django_assert_max_num_queries: DjangoAssertNumQueries, readers: int
) -> None:
    people = readers_of(workspace, *(f"p{number}@example{number}.com" for number in range(readers)))
    variants = (OTHER, Words(subject="Third"), Words(subject="Fourth")) if readers > 2 else (OTHER,)
    plan = TrialPlan(percent=50, metric=Metric.CLICKS)
    campaign = begin(workspace, make_draft(workspace=workspace, readers=people, variants=variants, trial=plan))
    with django_assert_max_num_queries(24):
        page_of(as_viewer, workspace, campaign.uid, "report/")


def test_how_long_it_will_take_is_said_before_and_while_it_goes(as_owner: Client, workspace: Workspace) -> None:
    readers = readers_of(workspace, *(f"p{number}@outlook.com" for number in range(20)))
    draft = make_draft(workspace=workspace, readers=readers)
    limit = NewLimit(sender_id=draft.sender_id, destination="microsoft", most=5, per=Per.HOUR)
    mail.set_limit(workspace=workspace, new=limit, actor=make_actor(), now=clock.now())
    page = page_of(as_owner, workspace, draft.uid, "send/")
    assert "ends around" in page
    assert "Outlook and Hotmail is slowest" in page
    campaign = begin(workspace, draft)
    live = page_of(as_owner, workspace, campaign.uid, "report/")
    assert "ends around" in live
    assert "Outlook and Hotmail is slowest" in live


def test_a_destination_that_rests_is_named_with_what_it_said(as_viewer: Client, workspace: Workspace) -> None:
    campaign = begin(workspace, make_draft(workspace=workspace, readers=readers_of(workspace, "a@gmail.com")))
    now = clock.now()
    assert campaign.sender is not None
    DestinationRest.objects.create(
        sender=campaign.sender,
        destination="google",
        until=now + timedelta(minutes=15),
        reason="421 4.7.28 Too much <mail>",
        noted_at=now,
    )
    page = page_of(as_viewer, workspace, campaign.uid, "report/")
    assert "Gmail rests until" in page
    assert "Too much &lt;mail&gt;" in page


def test_what_the_mailbox_providers_would_refuse_is_named_and_nothing_leaves(
    as_owner: Client, workspace: Workspace
) -> None:
    draft = make_draft(workspace=workspace, readers=readers_of(workspace, "a@gmail.com"))
    new = NewSender(
        name="Desk",
        provider=Provider.SMTP,
        from_email="desk@gmail.com",
        config={"host": "localhost", "port": 25, "security": "none"},
    )
    sender = mail.create_sender(workspace=workspace, new=new, actor=make_actor(), now=clock.now())
    Campaign.objects.filter(pk=draft.pk).update(sender=sender)
    page = page_of(as_owner, workspace, draft.uid, "send/")
    assert "What the mailbox providers will say" in page
    refused = as_owner.post(f"/w/{workspace.slug}/campaigns/{draft.uid}/send/").content.decode()
    assert "would not get through" in refused
    draft.refresh_from_db()
    assert draft.status == CampaignStatus.DRAFT
