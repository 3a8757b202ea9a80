"""The campaign pages, from an empty draft to the report."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from postroom.core.campaigns import services
from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.types import CampaignStatus
from postroom.core.contacts.selectors import audience, segments
from postroom.core.contacts.types import Sql
from postroom.core.mail import services as mail
from postroom.core.mail.models import Batch, Message
from postroom.core.mail.ports import Handover, Outcome, Result
from postroom.core.mail.types import BatchStatus, ChunkClaim
from postroom.core.workspaces.models import Workspace
from postroom.kit import clock
from tests.core.campaigns.makers import make_draft
from tests.factories import NOW, make_actor, make_contact, make_list, make_workspace

pytestmark = pytest.mark.django_db


def draft_form(workspace: Workspace, **changes: object) -> dict[str, object]:
    sender = mail.ensure_sandbox_sender(workspace=workspace, actor=make_actor(), now=NOW)
    form: dict[str, object] = {
        "name": "November",
        "audience": "lists",
        "list_ids": [make_list(workspace=workspace, members=[make_contact(workspace=workspace)]).pk],
        "sender_id": sender.pk,
        "subject": "News for {{ first_name }}",
        "body_format": "html",
        "body": '<p>Hello {{ first_name }}, <a href="https://example.org/">read on</a>.</p>',
    }
    return {**form, **changes}


def test_a_campaign_is_begun_written_reviewed_and_sent(as_colleague: Client, workspace: Workspace) -> None:
    begun = as_colleague.post(f"/w/{workspace.slug}/campaigns/", {"name": "November"})
    composer = as_colleague.get(begun["Location"]).content.decode()
    assert "&lt;mjml&gt;" in composer

    reviewed = as_colleague.post(begun["Location"], {**draft_form(workspace), "review": "1"}, follow=True)
    assert "Send to 1 person" in reviewed.content.decode()
    sent = as_colleague.post(reviewed.redirect_chain[-1][0])
    campaign = Campaign.objects.get(workspace=workspace)
    assert campaign.status == CampaignStatus.SENDING
    assert sent["Location"] == f"/w/{workspace.slug}/campaigns/{campaign.uid}/report/"


def test_what_is_missing_is_said_before_anything_is_sent(as_owner: Client, workspace: Workspace) -> None:
    draft = make_draft(workspace=workspace, subject="", sender_id=None)
    page = as_owner.post(f"/w/{workspace.slug}/campaigns/{draft.uid}/send/").content.decode()
    draft.refresh_from_db()
    assert draft.status == CampaignStatus.DRAFT
    assert "subject" in page
    assert "sender" in page


@pytest.mark.parametrize("audience", ["lists", "segment"])
def test_an_audience_that_names_nobody_never_means_everyone(
    as_owner: Client, workspace: Workspace, audience: str
) -> None:
    draft = make_draft(workspace=workspace, readers=[make_contact(workspace=workspace)])
    form = draft_form(workspace, audience=audience, list_ids=[], segment_id="")
    response = as_owner.post(f"/w/{workspace.slug}/campaigns/{draft.uid}/", form)
    assert response.status_code == 200
    assert response.context["form"].errors
    assert draft.lists.count() == 1
    counted = as_owner.post(f"/w/{workspace.slug}/campaigns/audience/", form).content.decode()
    assert "Nobody is chosen yet" in counted


def test_the_audience_is_counted_while_it_is_chosen(as_viewer: Client, workspace: Workspace) -> None:
    page = as_viewer.post(f"/w/{workspace.slug}/campaigns/audience/", draft_form(workspace)).content.decode()
    assert "<strong>1</strong>" in page
    everyone = draft_form(workspace, audience="everyone")
    assert "<strong>2</strong>" in as_viewer.post(f"/w/{workspace.slug}/campaigns/audience/", everyone).content.decode()


def test_a_foreign_list_cannot_be_chosen(as_owner: Client, workspace: Workspace) -> None:
    draft = make_draft(workspace=workspace)
    foreign = make_list(workspace=make_workspace(), members=[])
    form = draft_form(workspace, list_ids=[foreign.pk])
    response = as_owner.post(f"/w/{workspace.slug}/campaigns/{draft.uid}/", form)
    assert response.context["form"].errors["list_ids"]


def test_the_preview_shows_the_mail_in_a_frame_that_can_do_nothing(as_viewer: Client, workspace: Workspace) -> None:
    form = draft_form(workspace, body="<p>Hello {{ first_name }}<script>alert(1)</script></p>")
    response = as_viewer.post(f"/w/{workspace.slug}/campaigns/preview/", form)
    assert "Hello Alex" in response.content.decode()
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox;")
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "img-src data:" in policy


def test_the_preview_has_the_subject_on_top_and_reads_as_anybody_of_the_workspace(
    as_viewer: Client, workspace: Workspace
) -> None:
    ada, foreign = make_contact(workspace=workspace, first_name="<Ada>"), make_contact(workspace=make_workspace())
    form = draft_form(workspace, reader=ada.uid)
    page = as_viewer.post(f"/w/{workspace.slug}/campaigns/preview/", form).content.decode()
    assert page.index("News for &lt;Ada&gt;") < page.index("Hello &lt;Ada&gt;")
    form = draft_form(workspace, list_ids=[], reader=foreign.uid)
    page = as_viewer.post(f"/w/{workspace.slug}/campaigns/preview/", form).content.decode()
    assert "no such person" in page


def test_a_broken_template_is_explained_in_the_preview(as_viewer: Client, workspace: Workspace) -> None:
    form = draft_form(workspace, body="<p>{% if %}</p>")
    response = as_viewer.post(f"/w/{workspace.slug}/campaigns/preview/", form)
    assert response.status_code == 200
    assert "role=alert" in response.content.decode()


def test_a_test_goes_to_the_addresses_given(as_colleague: Client, workspace: Workspace) -> None:
    draft = make_draft(workspace=workspace)
    as_colleague.post(f"/w/{workspace.slug}/campaigns/{draft.uid}/test/", {"to": "me@example.com, you@example.com"})
    assert sorted(row.to[0] for row in Message.objects.filter(is_test=True)) == ["me@example.com", "you@example.com"]


def test_a_scheduled_campaign_can_be_called_back(as_owner: Client, workspace: Workspace) -> None:
    draft = make_draft(workspace=workspace, readers=[make_contact(workspace=workspace)])
    here = f"/w/{workspace.slug}/campaigns/{draft.uid}/"
    tomorrow = clock.now() + timedelta(days=1)
    as_owner.post(f"{here}schedule/", {"at": tomorrow.strftime("%Y-%m-%dT%H:%M")})
    draft.refresh_from_db()
    assert draft.status == CampaignStatus.SCHEDULED
    assert "goes out at" in as_owner.get(f"{here}report/").content.decode()
    as_owner.post(f"{here}cancel/")
    draft.refresh_from_db()
    assert draft.status == CampaignStatus.DRAFT


def test_a_campaign_that_could_not_be_started_says_why_and_becomes_a_draft_again(
    as_owner: Client, workspace: Workspace
) -> None:
    draft = make_draft(workspace=workspace, readers=[make_contact(workspace=workspace)])
    here = f"/w/{workspace.slug}/campaigns/{draft.uid}/"
    as_owner.post(f"{here}send/")
    services.fail_campaign(campaign_id=draft.pk, reason="The disk is full.", now=clock.now())
    page = as_owner.get(f"{here}report/").content.decode()
    assert "The disk is full." in page
    assert "Nothing was sent." in page
    assert "Back to draft" in page
    as_owner.post(f"{here}cancel/")
    draft.refresh_from_db()
    assert (draft.status, draft.error) == (CampaignStatus.DRAFT, "")


def test_a_running_campaign_is_paused_resumed_and_cancelled(as_owner: Client, workspace: Workspace) -> None:
    campaign = start(workspace)
    here = f"/w/{workspace.slug}/campaigns/{campaign.uid}/"
    for act, status in (("pause", "paused"), ("resume", "sending"), ("cancel", "cancelled")):
        as_owner.post(f"{here}{act}/")
        campaign.refresh_from_db()
        assert campaign.status == status


def test_a_campaign_is_deleted_and_what_of_it_is_on_its_way_is_called_off(
    as_owner: Client, workspace: Workspace
) -> None:
    draft, sending = make_draft(workspace=workspace), start(workspace)
    assert (
        'data-opens="delete"'
        not in as_owner.get(f"/w/{workspace.slug}/campaigns/{sending.uid}/report/").content.decode()
    )
    for campaign in (draft, sending):
        as_owner.post(f"/w/{workspace.slug}/campaigns/{campaign.uid}/delete/")
    assert not Campaign.objects.exists()
    assert Batch.objects.get().status == BatchStatus.CANCELLED


def test_the_report_shows_a_sum_that_adds_up_and_watches_while_it_goes_out(
    as_viewer: Client, workspace: Workspace
) -> None:
    campaign = start(workspace)
    page = as_viewer.get(f"/w/{workspace.slug}/campaigns/{campaign.uid}/", follow=True).content.decode()
    assert "Where every message is" in page
    assert "https://example.org/news" in page
    assert 'hx-trigger="every 2s"' in page
    assert "Pause" not in page  # a viewer only looks
    services.cancel_campaign(workspace=workspace, uid=campaign.uid, actor=make_actor(), now=clock.now())
    part = as_viewer.get(
        f"/w/{workspace.slug}/campaigns/{campaign.uid}/report/", headers={"HX-Request": "true"}
    ).content.decode()
    assert "hx-trigger" not in part
    assert "<html" not in part


def test_the_report_tells_the_pace_while_it_goes_out(as_viewer: Client, workspace: Workspace) -> None:
    campaign = start(workspace, readers=2)
    work = mail.claim_work(owner="somebody", now=clock.now())
    assert work is not None
    assert isinstance(work.claim, ChunkClaim)
    handover = Handover(work.items[0].message_id, clock.now().timestamp(), Result(Outcome.SENT, 250))
    assert mail.finish_chunk(claim=work.claim, handovers=[handover], now=clock.now())
    Campaign.objects.update(started_at=clock.now() - timedelta(minutes=10))
    here = f"/w/{workspace.slug}/campaigns/{campaign.uid}/report/"
    page = as_viewer.get(here).content.decode()
    assert "1 of 2 handled" in page
    assert "about 10 min left" in page
    services.pause_campaign(workspace=workspace, uid=campaign.uid, actor=make_actor(), now=clock.now())
    assert "left" not in as_viewer.get(here).content.decode().split("handled")[1].split("</div>")[0]


def test_the_list_costs_the_same_however_many_campaigns_it_shows(
    as_owner: Client, workspace: Workspace, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(12):
        make_draft(workspace=workspace)
    start(workspace)
    with django_assert_num_queries(10):
        page = as_owner.get(f"/w/{workspace.slug}/campaigns/").content.decode()
    assert page.count("<tr>") == 1 + 13
    assert 'hx-trigger="every 2s"' in page


def test_a_campaign_of_another_workspace_is_unknown_here(as_owner: Client, workspace: Workspace) -> None:
    foreign = make_draft(workspace=make_workspace())
    here = f"/w/{workspace.slug}/campaigns/{foreign.uid}/"
    assert {as_owner.get(here + path).status_code for path in ("", "send/", "report/")} == {404}
    for act in ("", "send", "test", "schedule", "pause", "resume", "cancel", "delete"):
        data = {"to": "me@example.com", "at": "2030-01-01T10:00"}
        assert as_owner.post(f"{here}{act}/" if act else here, data).status_code == 404
    assert Campaign.objects.get() == foreign


def test_what_is_under_way_is_not_offered_for_sending_again(as_owner: Client, workspace: Workspace) -> None:
    campaign = start(workspace)
    here = f"/w/{workspace.slug}/campaigns/{campaign.uid}"
    for answer in (as_owner.get(f"{here}/send/"), as_owner.post(f"{here}/send/")):
        assert answer.status_code == 302
        assert answer.headers["Location"] == f"{here}/report/"


def test_the_overview_counts_and_points_to_the_next_step(
    as_viewer: Client, workspace: Workspace, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    empty = as_viewer.get(f"/w/{workspace.slug}/").content.decode()
    assert "Bring your people in" in empty
    assert "Choose who sends" in empty
    start(workspace)
    with django_assert_max_num_queries(14):
        page = as_viewer.get(f"/w/{workspace.slug}/").content.decode()
    assert "Bring your people in" not in page
    assert 'data-plot="month-plot"' in page


def start(workspace: Workspace, *, readers: int = 1) -> Campaign:
    """Return a campaign whose audience is frozen and waits for a sender."""
    draft = make_draft(workspace=workspace, readers=[make_contact(workspace=workspace) for _ in range(readers)])
    services.send_campaign(workspace=workspace, uid=draft.uid, actor=make_actor(), now=clock.now())
    services.start_campaign(campaign_id=draft.pk, now=clock.now())
    return Campaign.objects.get(pk=draft.pk)


def test_an_audience_that_takes_too_long_to_count_is_said_and_stops_nobody_from_sending(
    as_owner: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = make_draft(workspace=workspace)
    monkeypatch.setattr(segments, "WAIT_LIMIT_MS", 50)
    monkeypatch.setattr(audience, "_people", lambda *_: Sql("contacts_contact c, pg_sleep(5)"))
    counted = as_owner.post(f"/w/{workspace.slug}/campaigns/audience/", draft_form(workspace)).content.decode()
    assert "takes too long to count" in counted
    page = as_owner.get(f"/w/{workspace.slug}/campaigns/{draft.uid}/send/").content.decode()
    assert "could not be counted in time" in page
    assert "takes too long to count" in page
    assert "None" not in page
