"""A campaign that each person gets when their own clock shows the time."""

from datetime import UTC, datetime, timedelta

import pytest

from postroom.core.campaigns import selectors
from postroom.core.campaigns import services as campaigns
from postroom.core.campaigns.errors import BadCampaign
from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.types import CampaignStatus, TrialPlan, Words
from postroom.core.contacts.models import Contact
from postroom.core.mail.models import Chunk
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.core.campaigns.makers import make_draft
from tests.factories import NOW, make_contact, make_workspace

pytestmark = pytest.mark.django_db

WALL = datetime(2026, 11, 21, 9, 0)
ZONES = ("Asia/Tokyo", "Europe/Berlin", "America/Los_Angeles", "")


@pytest.fixture
def room() -> Workspace:
    return make_workspace()


def draft_in_zones(room: Workspace, **changes: object) -> Campaign:
    readers = [make_contact(workspace=room) for _ in ZONES]
    for reader, zone in zip(readers, ZONES, strict=True):
        Contact.objects.filter(pk=reader.pk).update(timezone=zone)
    return make_draft(workspace=room, readers=readers, **changes)


def schedule(draft: Campaign, wall: datetime = WALL, now: datetime = NOW) -> Campaign:
    return campaigns.schedule_campaign_locally(
        workspace=draft.workspace, uid=draft.uid, wall=wall, actor=SYSTEM, now=now
    )


def test_its_audience_is_written_down_where_the_day_begins_first_and_each_zone_gets_it_at_its_time(
    room: Workspace,
) -> None:
    draft = schedule(draft_in_zones(room))
    first = datetime(2026, 11, 20, 19, 0, tzinfo=UTC)
    assert (draft.status, draft.scheduled_at) == (CampaignStatus.SCHEDULED, first)
    assert campaigns.start_due_campaigns(now=first - timedelta(seconds=1)) == 0
    assert campaigns.start_due_campaigns(now=first) == 1
    campaigns.start_campaign(campaign_id=draft.pk, now=first)
    times = dict(Chunk.objects.order_by("ready_at").values_list("ready_at", "size"))
    assert times == {
        datetime(2026, 11, 21, 0, 0, tzinfo=UTC): 1,
        datetime(2026, 11, 21, 8, 0, tzinfo=UTC): 1,
        datetime(2026, 11, 21, 9, 0, tzinfo=UTC): 1,
        datetime(2026, 11, 21, 17, 0, tzinfo=UTC): 1,
    }


def test_where_the_time_has_passed_people_get_it_at_once_and_that_is_known_before(room: Workspace) -> None:
    wall = datetime(2026, 11, 20, 9, 30)
    draft = draft_in_zones(room)
    waves = selectors.list_waves(workspace=room, uid=draft.uid, wall=wall, now=NOW)
    assert [(wave.zones, wave.people, wave.has_passed) for wave in waves] == [
        (("Asia/Tokyo",), 1, True),
        (("Europe/Berlin",), 1, True),
        (("",), 1, False),
        (("America/Los_Angeles",), 1, False),
    ]
    schedule(draft, wall)
    assert campaigns.start_due_campaigns(now=NOW) == 1
    campaigns.start_campaign(campaign_id=draft.pk, now=NOW)
    assert not Chunk.objects.filter(ready_at__lt=NOW).exists()
    assert sum(Chunk.objects.filter(ready_at=NOW).values_list("size", flat=True)) == 2


def test_a_time_that_has_passed_everywhere_is_refused(room: Workspace) -> None:
    with pytest.raises(BadCampaign, match="everywhere"):
        schedule(draft_in_zones(room), datetime(2026, 11, 19, 9, 0))


def test_the_readers_clock_and_a_rest_that_is_held_do_not_go_together(room: Workspace) -> None:
    draft = draft_in_zones(room, variants=(Words(subject="Other"),), trial=TrialPlan(percent=50))
    with pytest.raises(BadCampaign, match="not both"):
        schedule(draft)
    even = draft_in_zones(make_workspace(), variants=(Words(subject="Other"),), trial=TrialPlan(percent=100))
    assert schedule(even).status == CampaignStatus.SCHEDULED


def test_scheduled_otherwise_or_sent_at_once_it_forgets_the_clock(room: Workspace) -> None:
    draft = schedule(draft_in_zones(room))
    campaigns.schedule_campaign(workspace=room, uid=draft.uid, at=NOW + timedelta(hours=1), actor=SYSTEM, now=NOW)
    draft.refresh_from_db()
    assert (draft.local_date, draft.local_time) == (None, None)
    schedule(draft)
    campaigns.send_campaign(workspace=room, uid=draft.uid, actor=SYSTEM, now=NOW)
    campaigns.start_campaign(campaign_id=draft.pk, now=NOW)
    assert set(Chunk.objects.values_list("ready_at", flat=True)) == {NOW}
