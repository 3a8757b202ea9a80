"""Segments select people of their workspace only, in days of its calendar, and stop in time."""

from itertools import islice

import pytest
from django.db import connection

from postroom.core.contacts import selectors, services
from postroom.core.contacts.errors import BadFilter, BadValue, NameTaken, NoSuchSegment, SegmentTooSlow
from postroom.core.contacts.selectors import segments
from postroom.core.contacts.types import Audience, Sql
from postroom.kit.ids import uuid7
from postroom.kit.paging import PageRequest
from postroom.kit.types import JSONObject, JSONValue
from tests.core.contacts.people import make_contact, make_list
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db


def only(field: str, operator: str, value: JSONValue = None) -> JSONObject:
    return {"match": "all", "conditions": [{"field": field, "operator": operator, "value": value}]}


def test_days_are_those_of_the_workspaces_calendar() -> None:
    room = make_workspace()
    room.timezone = "Asia/Tokyo"
    make_contact(room)  # on the 20th at 18:00 in Tokyo
    count = {
        (operator, day): selectors.preview_segment(
            workspace=room, filter=only("created_at", operator, day), now=NOW
        ).count
        for operator in ("eq", "after", "before", "gte", "lte", "neq")
        for day in ("2026-11-19", "2026-11-20", "2026-11-21")
    }
    assert [pair for pair, found in count.items() if found] == [
        ("eq", "2026-11-20"),
        ("after", "2026-11-19"),
        ("before", "2026-11-21"),
        ("gte", "2026-11-19"),
        ("gte", "2026-11-20"),
        ("lte", "2026-11-20"),
        ("lte", "2026-11-21"),
        ("neq", "2026-11-19"),
        ("neq", "2026-11-21"),
    ]


def test_a_segment_finds_nobody_of_another_workspace() -> None:
    room, stranger = make_workspace(), make_workspace()
    neighbour = make_workspace(organization=room.organization)
    here = make_contact(room, "here@example.com", tags=("lead",))
    make_contact(stranger, "there@example.com", tags=("lead",))
    make_contact(neighbour, "beside@example.com", tags=("lead",))
    for filter_ in (
        {"match": "any", "conditions": [only("email", "is_set"), only("email", "is_not_set")]},
        only("tag", "has", "lead"),
        only("email", "contains", "@"),
    ):
        preview = selectors.preview_segment(workspace=room, filter=filter_, now=NOW)
        assert [pk for pk, _, _ in preview.sample] == [here.pk]


def test_a_segment_is_kept_only_when_it_is_understood() -> None:
    room, actor = make_workspace(), make_actor()
    filter_ = only("email", "is_set")
    segment = services.create_segment(workspace=room, name=" Reachable ", filter=filter_, actor=actor, now=NOW)
    assert selectors.get_segment(workspace=room, uid=segment.uid).name == "Reachable"
    with pytest.raises(BadFilter):
        services.update_segment(
            workspace=room, uid=segment.uid, name="x", filter=only("email", "in", []), actor=actor, now=NOW
        )
    with pytest.raises(NameTaken):
        services.create_segment(workspace=room, name="reachable", filter=filter_, actor=actor, now=NOW)
    with pytest.raises(BadValue):
        services.create_segment(workspace=room, name=" ", filter=filter_, actor=actor, now=NOW)
    with pytest.raises(NoSuchSegment):
        services.delete_segment(workspace=make_workspace(), uid=segment.uid, actor=actor, now=NOW)
    services.delete_segment(workspace=room, uid=segment.uid, actor=actor, now=NOW)
    with pytest.raises(NoSuchSegment):
        selectors.get_segment(workspace=room, uid=segment.uid)


def test_a_preview_that_takes_too_long_is_stopped_and_the_limit_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    room = make_workspace()
    slow = Sql("contacts_contact c, pg_sleep(5)")
    make_contact(room)
    monkeypatch.setattr(segments, "WAIT_LIMIT_MS", 50)
    monkeypatch.setattr(segments, "people_sql", lambda **_: slow)
    with pytest.raises(SegmentTooSlow):
        selectors.preview_segment(workspace=room, filter={}, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_an_audience_has_each_person_once_in_chunks() -> None:
    room = make_workspace()
    people = [make_contact(room, f"p{number}@example.com") for number in range(7)]
    make_contact(room, None)
    one, two = make_list(room, *people[:4], name="One"), make_list(room, *people[2:6], name="Two")
    segment = services.create_segment(
        workspace=room, name="S", filter=only("email", "in", ["p1@example.com"]), actor=make_actor(), now=NOW
    )
    cases = {
        Audience(): people,
        Audience(list_ids=(one.pk, two.pk)): people[:6],
        Audience(segment_id=segment.pk): people[1:2],
        Audience(list_ids=(two.pk,), segment_id=segment.pk): [],
    }
    for audience, expected in cases.items():
        chunks = list(islice(selectors.iter_audience(workspace=room, audience=audience, now=NOW, chunk=2), 20))
        assert [row for chunk in chunks for row in chunk] == [(one.pk, one.email, "") for one in expected]
        assert all(len(chunk) <= 2 for chunk in chunks)
        assert selectors.count_audience(workspace=room, audience=audience, now=NOW) == len(expected)
        by_zone = selectors.count_audience_zones(workspace=room, audience=audience, now=NOW)
        by_domain = selectors.count_audience_domains(workspace=room, audience=audience, now=NOW)
        assert by_zone == ({"": len(expected)} if expected else {})
        assert by_domain == ({"example.com": len(expected)} if expected else {})


def test_an_audience_of_another_workspaces_list_or_segment_is_nobody() -> None:
    room, stranger = make_workspace(), make_workspace()
    make_contact(room)
    theirs = make_list(stranger, make_contact(stranger))
    assert selectors.count_audience(workspace=room, audience=Audience(list_ids=(theirs.pk,)), now=NOW) == 0
    segment = services.create_segment(
        workspace=stranger, name="S", filter=only("email", "is_set"), actor=make_actor(), now=NOW
    )
    with pytest.raises(NoSuchSegment):
        selectors.count_audience(workspace=room, audience=Audience(segment_id=segment.pk), now=NOW)
    with pytest.raises(NoSuchSegment):
        selectors.list_contacts(workspace=room, segment_id=segment.pk, page=PageRequest())
    with pytest.raises(NoSuchSegment):
        selectors.get_segment(workspace=room, uid=uuid7())
