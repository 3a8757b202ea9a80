"""What becomes of a segment: counted day by day, kept while somebody needs it, and able to say why."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.core.campaigns import services as campaigns
from postroom.core.campaigns.types import CampaignChanges
from postroom.core.contacts import selectors, services
from postroom.core.contacts.errors import (
    BadFilter,
    CategoryInUse,
    ListInUse,
    NoSuchContact,
    SegmentInUse,
    SegmentTooSlow,
)
from postroom.core.contacts.models import Segment, SegmentSize
from postroom.core.contacts.selectors import segments as reads
from postroom.core.contacts.services import segment_sizes
from postroom.core.contacts.types import Explanation, ListTerms, MemberStatus
from postroom.core.workspaces.models import Workspace
from postroom.kit.ids import uuid7
from postroom.kit.types import JSONObject
from tests.core.contacts.people import make_contact, make_fields, make_list, set_member
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db
EVERYBODY: JSONObject = {"match": "all", "conditions": [{"field": "email", "operator": "is_set"}]}
TAGGED: JSONObject = {"match": "all", "conditions": [{"field": "tag", "operator": "has", "value": "VIP"}]}
DAY = timedelta(days=1)


def make_segment(room: Workspace, filter_: JSONObject = EVERYBODY, name: str = "Everybody") -> Segment:
    return services.create_segment(workspace=room, name=name, filter=filter_, actor=make_actor(), now=NOW)


def test_a_segment_is_counted_once_a_day() -> None:
    room = make_workspace()
    make_contact(room)
    segment = make_segment(room)
    assert services.measure_due_segments(now=NOW) == 1
    assert services.measure_due_segments(now=NOW + DAY / 2) == 0
    make_contact(room, "grace@example.com")
    assert services.measure_due_segments(now=NOW + DAY) == 1
    assert [size.count for size in selectors.list_segment_sizes(segment=segment)] == [1, 2]
    segment.refresh_from_db()
    assert (segment.size, segment.measured_at) == (2, NOW + DAY)


def test_sizes_older_than_a_year_and_a_month_are_forgotten() -> None:
    segment = make_segment(make_workspace())
    for days in (0, 399, 401):
        services.measure_segment(segment_uid=segment.uid, now=NOW + days * DAY)
    assert SegmentSize.objects.filter(segment=segment).count() == 2
    services.measure_segment(segment_uid=uuid7(), now=NOW)


def test_a_slow_segment_and_a_broken_one_are_noted_and_do_not_keep_others_from_being_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = make_workspace()
    slow, broken, fine = (make_segment(room, name=name) for name in ("Slow", "Broken", "Fine"))
    Segment.objects.filter(pk=broken.pk).update(filter={"match": "all", "conditions": []})
    count = reads.count_segment

    def count_slowly(*, workspace: Workspace, filter: JSONObject, now: object) -> int:
        if Segment.objects.get(pk=slow.pk).measured_at == now and not Segment.objects.get(pk=slow.pk).size_note:
            raise SegmentTooSlow
        return count(workspace=workspace, filter=filter, now=NOW)

    monkeypatch.setattr(segment_sizes, "count_segment", count_slowly)
    assert services.measure_due_segments(now=NOW) == 3
    notes = dict(Segment.objects.values_list("name", "size_note"))
    assert "too long" in notes["Slow"]
    assert "at least one condition" in notes["Broken"]
    assert (notes["Fine"], Segment.objects.get(pk=fine.pk).size) == ("", 0)


def test_a_changed_question_has_no_size_until_it_is_counted_again() -> None:
    room = make_workspace()
    segment = make_segment(room)
    services.measure_segment(segment_uid=segment.uid, now=NOW)
    services.update_segment(
        workspace=room, uid=segment.uid, name="Tagged", filter=TAGGED, actor=make_actor(), now=NOW + DAY
    )
    segment.refresh_from_db()
    assert segment.size is None
    assert selectors.list_segment_sizes(segment=segment) != []


def test_a_segment_that_campaigns_are_for_is_kept_and_they_are_named() -> None:
    room, actor = make_workspace(), make_actor()
    segment = make_segment(room)
    for name in ("May", "June"):
        draft = campaigns.create_campaign(workspace=room, name=name, actor=actor, now=NOW)
        changes = CampaignChanges(segment_id=segment.pk)
        campaigns.update_campaign(workspace=room, uid=draft.uid, changes=changes, actor=actor, now=NOW)
    with pytest.raises(SegmentInUse, match="'June', 'May'"):
        services.delete_segment(workspace=room, uid=segment.uid, actor=actor, now=NOW)
    assert Segment.objects.filter(pk=segment.pk).exists()


def test_what_a_segment_asks_about_can_be_found_before_it_is_deleted() -> None:
    room, other = make_workspace(), make_workspace()
    make_fields(room)
    news = make_list(room)
    theirs = make_list(other)
    nested: JSONObject = {
        "match": "any",
        "conditions": [
            {"field": "custom.age", "operator": "gt", "value": 3},
            {
                "match": "all",
                "conditions": [
                    {"field": "list", "operator": "in", "value": ["none", str(news.uid)]},
                    {"field": "tag", "operator": "not_has", "value": "Vip"},
                ],
            },
        ],
    }
    segment = make_segment(room, nested)
    make_segment(other, {"match": "all", "conditions": [{"field": "list", "operator": "has", "value": "news"}]})
    neighbour = make_workspace(organization=room.organization)
    assert selectors.segments_using_field(workspace=neighbour, key="age") == [segment]
    assert selectors.segments_using_field(workspace=room, key="vip") == []
    assert selectors.segments_using_list(workspace=room, list_id=news.pk) == [segment]
    assert [one.workspace for one in selectors.segments_using_list(workspace=other, list_id=theirs.pk)] == [other]


def test_a_campaign_in_a_question_must_be_one_of_the_workspace() -> None:
    room, other = make_workspace(), make_workspace()
    theirs = campaigns.create_campaign(workspace=other, name="Theirs", actor=make_actor(), now=NOW)
    filter_ = opened(theirs.uid)
    with pytest.raises(BadFilter, match="no campaign"):
        make_segment(room, filter_)
    assert make_segment(other, filter_).filter == filter_


def opened(campaign: UUID) -> JSONObject:
    condition: JSONObject = {"field": "mail.opened", "operator": "did_not", "value": {"campaign": str(campaign)}}
    return {"match": "all", "conditions": [condition]}


def explain(room: Workspace, filter_: JSONObject, uid: UUID) -> Explanation:
    return selectors.explain_membership(workspace=room, filter=filter_, contact_uid=uid, now=NOW)


def test_every_part_of_a_question_is_answered_for_one_person() -> None:
    room = make_workspace()
    make_fields(room)
    ada = make_contact(room, tags=("VIP", "lead"), age=36)
    set_member(room, make_list(room), ada, MemberStatus.UNSUBSCRIBED)
    filter_: JSONObject = {
        "match": "all",
        "conditions": [
            {"field": "age", "operator": "gt", "value": 40},
            {
                "match": "any",
                "conditions": [
                    {"field": "tag", "operator": "has", "value": "vip"},
                    {"field": "list", "operator": "has", "value": "News"},
                    {"field": "mail.opened", "operator": "did"},
                ],
            },
        ],
    }
    told = explain(room, filter_, ada.uid)
    age, group = told.parts
    assert (told.holds, told.match, age.holds, age.value, group.holds) == (False, "all", False, "36", True)
    assert age.condition == {"field": "age", "operator": "gt", "value": 40}
    assert [(part.holds, part.value) for part in group.parts] == [
        (True, ["VIP", "lead"]),
        (False, ["News: unsubscribed"]),
        (False, []),
    ]


def test_an_explanation_costs_the_same_however_long_the_question_is() -> None:
    room = make_workspace()
    ada = make_contact(room)
    costs = []
    for count in (1, 60):
        filter_: JSONObject = {"match": "any", "conditions": [*TAGGED["conditions"]] * count}  # type: ignore[misc]
        with CaptureQueriesContext(connection) as queries:
            explain(room, filter_, ada.uid)
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 9


def test_nobody_is_explained_to_another_workspace() -> None:
    ada = make_contact(make_workspace())
    with pytest.raises(NoSuchContact):
        explain(make_workspace(), EVERYBODY, ada.uid)


def test_a_list_may_get_a_new_name_unless_a_segment_knows_it_by_the_old_one() -> None:
    room, actor = make_workspace(), make_actor()
    news = make_list(room)
    by_uid: JSONObject = {"match": "all", "conditions": [{"field": "list", "operator": "has", "value": str(news.uid)}]}
    make_segment(room, by_uid)
    terms = ListTerms(name="Letters")
    services.update_list(workspace=room, list_id=news.pk, terms=terms, actor=actor, now=NOW)
    with pytest.raises(ListInUse, match="'Everybody'"):
        services.delete_list(workspace=room, list_id=news.pk, actor=actor, now=NOW)
    by_name: JSONObject = {"match": "all", "conditions": [{"field": "list", "operator": "has", "value": "letters"}]}
    make_segment(room, by_name, name="By name")
    with pytest.raises(ListInUse, match="'By name'"):
        services.update_list(workspace=room, list_id=news.pk, terms=ListTerms(name="Post"), actor=actor, now=NOW)


def test_a_category_that_a_segment_asks_consent_to_is_kept() -> None:
    room, actor = make_workspace(), make_actor()
    topic = services.create_category(workspace=room, name="Offers", slug="offers", actor=actor, now=NOW)
    filter_: JSONObject = {
        "match": "all",
        "conditions": [{"field": "person.consent", "operator": "absent", "value": "offers"}],
    }
    segment = make_segment(room, filter_)
    with pytest.raises(CategoryInUse, match="'Everybody'"):
        services.delete_category(workspace=room, category_id=topic.pk, actor=actor, now=NOW)
    services.delete_segment(workspace=room, uid=segment.uid, actor=actor, now=NOW)
    services.delete_category(workspace=room, category_id=topic.pk, actor=actor, now=NOW)
