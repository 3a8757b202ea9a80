"""A report counts what happened, people and machines apart, and its sum adds up."""

from datetime import timedelta

import pytest

from postroom.core.campaigns.errors import NoSuchCampaign
from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.types import CampaignStatus
from postroom.core.insights import selectors as insights
from postroom.core.mail import services as mail
from postroom.core.mail.models import Chunk, Message
from postroom.core.mail.types import EventType, Hit, MessageStatus
from postroom.core.workspaces.models import Workspace
from tests.core.campaigns.makers import make_draft
from tests.factories import NOW, make_workspace
from tests.ledger import make_batch, make_content, make_message

pytestmark = pytest.mark.django_db

START = NOW + timedelta(minutes=1)
PERSON = {
    "agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "ip": "203.0.113.0",
}
URLS = ("https://example.org/one", "https://example.org/two")


@pytest.fixture
def room() -> Workspace:
    """A workspace."""
    return make_workspace()


def make_sent_campaign(room: Workspace, *, total: int = 4) -> Campaign:
    """Return a campaign to ``total`` people: one bounced, one in doubt, the others delivered."""
    content = make_content(workspace=room, urls=URLS)
    batch = make_batch(workspace=room, content=content, total=total, fenced={"no_consent": 2, "manual": 5})
    campaign = make_draft(workspace=room)
    Campaign.objects.filter(pk=campaign.pk).update(batch=batch, status=CampaignStatus.SENT, started_at=NOW)
    for number in range(total):
        fate: dict[str, object] = {"delivered_at": START}
        if number == 0:
            fate = {"status": MessageStatus.FAILED, "sent_at": None, "bounced_at": START}
        elif number == 1:
            fate = {"status": MessageStatus.IN_DOUBT, "sent_at": None}
        make_message(workspace=room, batch=batch, content=content, **fate)
    campaign.refresh_from_db()
    return campaign


def happen(message: Message, type_: EventType, *, hours: float, key: str = "", **facts: object) -> None:
    """Let something happen to a message so many hours after the start."""
    at = NOW + timedelta(hours=hours)
    said = {"key": key or f"{type_}-{message.pk}-{hours}", "type": type_, "message_id": message.pk, "at": at}
    hit = Hit(**{**said, **PERSON, **facts})  # type: ignore[arg-type]
    mail.store_hits(hits=[hit])
    mail.apply_hits(now=at)


def test_the_sum_adds_up(room: Workspace) -> None:
    campaign = make_sent_campaign(room)
    report = insights.campaign_report(workspace=room, uid=campaign.uid, now=NOW + timedelta(days=1))
    counts = report.counts
    assert counts is not None
    assert (counts.sent, counts.delivered, counts.bounced, counts.pending, counts.in_doubt) == (4, 2, 1, 0, 1)
    assert counts.sent == counts.delivered + counts.bounced + counts.pending + counts.in_doubt
    assert list(report.fenced.items()) == [("manual", 5), ("no_consent", 2)]


def test_opens_and_clicks_stand_in_their_hour_machines_apart(room: Workspace) -> None:
    campaign = make_sent_campaign(room)
    reader, other = Message.objects.filter(batch=campaign.batch, status=MessageStatus.SENT).order_by("pk")
    happen(reader, EventType.OPENED, hours=0.5)
    happen(other, EventType.OPENED, hours=2.99)
    happen(other, EventType.OPENED, hours=2.5, is_bot=True)
    happen(reader, EventType.CLICKED, hours=3, link_index=1)
    happen(reader, EventType.OPENED, hours=24)
    report = insights.campaign_report(workspace=room, uid=campaign.uid, now=NOW + timedelta(days=3))
    assert len(report.hours) == 24
    assert report.hours[0].at == NOW
    assert [hour.opened for hour in report.hours[:4]] == [1, 0, 1, 0]
    assert (report.hours[2].machine_opened, report.hours[3].clicked) == (1, 1)
    assert sum(hour.opened for hour in report.hours) == 2, "the 25th hour is not shown"


def test_links_are_counted_by_clicks_and_people_scanners_apart(room: Workspace) -> None:
    campaign = make_sent_campaign(room)
    reader, other = Message.objects.filter(batch=campaign.batch, status=MessageStatus.SENT).order_by("pk")
    for hours in (1, 2):
        happen(reader, EventType.CLICKED, hours=hours, link_index=1)
    happen(other, EventType.CLICKED, hours=3, link_index=1)
    happen(other, EventType.CLICKED, hours=4, link_index=0, is_bot=True)
    report = insights.campaign_report(workspace=room, uid=campaign.uid, now=NOW + timedelta(days=1))
    found = [(link.url, link.clicks, link.people, link.scanner_clicks) for link in report.links]
    assert found == [(URLS[1], 3, 2, 0), (URLS[0], 0, 0, 1)]


def test_a_report_takes_six_statements_however_many_people(room: Workspace, django_assert_num_queries: object) -> None:
    campaign = make_sent_campaign(room, total=12)
    with django_assert_num_queries(6):  # type: ignore[operator]
        insights.campaign_report(workspace=room, uid=campaign.uid, now=NOW)


def test_destinations_and_variants_are_counted_apart_and_add_up(room: Workspace) -> None:
    campaign = make_sent_campaign(room)
    batch, other = campaign.batch, make_content(workspace=room)
    assert batch is not None
    Chunk.objects.create(batch=batch, number=0, size=4, destination="other")
    assert insights.campaign_report(workspace=room, uid=campaign.uid, now=NOW).variants == ()
    Chunk.objects.create(batch=batch, number=1, size=30, destination="google", content=other)
    make_message(workspace=room, batch=batch, content=other, destination="google", opened_at=NOW, delivered_at=NOW)

    report = insights.campaign_report(workspace=room, uid=campaign.uid, now=NOW)

    places = [(one.destination, one.counts.total, one.counts.opened, one.counts.bounced) for one in report.destinations]
    assert places == [("google", 30, 1, 0), ("other", 4, 0, 1)]
    kinds = [(one.content_id, one.subject, one.counts.total, one.counts.delivered) for one in report.variants]
    assert kinds == [(other.pk, "News", 30, 1), (batch.content_id, "News", 4, 2)]


def test_links_of_variants_are_told_by_where_they_lead_and_not_by_their_number(room: Workspace) -> None:
    campaign = make_sent_campaign(room)
    batch, other = campaign.batch, make_content(workspace=room, urls=(URLS[1], "https://example.org/three"))
    assert batch is not None
    Chunk.objects.create(batch=batch, number=0, size=4)
    Chunk.objects.create(batch=batch, number=1, size=1, content=other)
    variant = make_message(workspace=room, batch=batch, content=other, delivered_at=START)
    first = Message.objects.filter(batch=batch, content=batch.content_id, status=MessageStatus.SENT).first()
    assert first is not None
    happen(variant, EventType.CLICKED, hours=1, link_index=0)
    happen(first, EventType.CLICKED, hours=2, link_index=1)
    happen(first, EventType.CLICKED, hours=3, link_index=0)
    report = insights.campaign_report(workspace=room, uid=campaign.uid, now=NOW + timedelta(days=1))
    found = {link.url: (link.clicks, link.people) for link in report.links}
    assert found == {URLS[1]: (2, 2), URLS[0]: (1, 1), "https://example.org/three": (0, 0)}


def test_a_draft_has_a_report_without_figures(room: Workspace) -> None:
    draft = make_draft(workspace=room)
    report = insights.campaign_report(workspace=room, uid=draft.uid, now=NOW)
    assert (report.counts, report.hours, report.links, dict(report.fenced)) == (None, (), (), {})


def test_a_strangers_campaign_has_no_report(room: Workspace) -> None:
    draft = make_draft(workspace=room)
    with pytest.raises(NoSuchCampaign):
        insights.campaign_report(workspace=make_workspace(), uid=draft.uid, now=NOW)
