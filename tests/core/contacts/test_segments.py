"""Segments compile to one statement that agrees with reading each person in turn, fenced by the workspace."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Final

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from postroom.core.contacts import selectors, services
from postroom.core.contacts.errors import BadFilter, BadValue, NameTaken, NoSuchSegment, SegmentTooSlow
from postroom.core.contacts.models import Contact
from postroom.core.contacts.selectors import segments
from postroom.core.contacts.types import Audience, MemberStatus, Sql
from postroom.core.workspaces.models import Workspace
from postroom.kit.ids import uuid7
from postroom.kit.paging import PageRequest
from postroom.kit.types import JSONObject, JSONValue
from tests.core.contacts.people import make_contact, make_fields, make_list, set_member
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db

WORDS: Final = ("ada", "Ada%", "a_a", "back\\slash", "policy", "it's", "100%", "")


@dataclass(frozen=True)
class Person:
    """One person as the plain evaluation sees them."""

    last_name: str
    custom: JSONObject
    tags: frozenset[str]
    is_on_list: bool


# What a door that does not check types could have stored is among the values: none of it may break a segment.
STRAY: Final = st.sampled_from([None, "", "x", 5, True, [], ["policy"], {"a": 1}, "2026-01-05", "99"])
PEOPLE: Final = st.builds(
    Person,
    last_name=st.sampled_from(WORDS),
    custom=st.fixed_dictionaries(
        {},
        optional={
            "age": st.integers(-3, 40) | st.sampled_from([2.5, 10.0]) | STRAY,
            "vip": st.booleans() | STRAY,
            "joined": st.dates().map(str) | st.sampled_from(["2026-01-05", "2026-01-06"]) | STRAY,
            "plan": st.sampled_from(WORDS) | STRAY,
            "likes": st.lists(st.sampled_from(["policy", "events", "it's"]), max_size=3) | STRAY,
        },
    ),
    tags=st.frozensets(st.sampled_from(["lead", "it's"])),
    is_on_list=st.booleans(),
)
DATES: Final = st.sampled_from(["2026-01-05", "2026-01-06", "1999-12-31"])
NEEDLE: Final = st.sampled_from([word for word in WORDS if word] + ["%", "_", "\\", "A"])


def condition(field: str, operators: str, value: st.SearchStrategy[JSONValue]) -> st.SearchStrategy[JSONObject]:
    """One condition on ``field``; ``in`` gets a list of values."""
    return st.sampled_from(operators.split()).flatmap(
        lambda operator: st.fixed_dictionaries(
            {
                "field": st.just(field),
                "operator": st.just(operator),
                "value": st.lists(value, min_size=1, max_size=3) if operator == "in" else value,
            }
        )
    )


CONDITIONS: Final = st.one_of(
    condition("last_name", "eq neq contains not_contains starts_with in is_set is_not_set", NEEDLE),
    condition("plan", "eq neq contains not_contains starts_with in is_empty is_not_empty", NEEDLE),
    condition("age", "eq neq gt lt gte lte in is_set is_not_set", st.integers(-3, 40) | st.just(2.5)),
    condition("vip", "eq neq is_set", st.booleans()),
    condition("joined", "eq neq gt lt gte lte before after in is_set", DATES),
    condition("likes", "has not_has contains not_contains in is_set", st.sampled_from(["policy", "it's"])),
    condition("tag", "has not_has in is_set is_not_set", st.sampled_from(["lead", "LEAD", "it's", "none"])),
    condition("list", "has not_has is_set", st.sampled_from(["News", "none"])),
)
FILTERS: Final = st.recursive(
    st.fixed_dictionaries(
        {"match": st.sampled_from(["all", "any"]), "conditions": st.lists(CONDITIONS, min_size=1, max_size=3)}
    ),
    lambda inner: st.fixed_dictionaries(
        {
            "match": st.sampled_from(["all", "any"]),
            "conditions": st.lists(CONDITIONS | inner, min_size=1, max_size=3),
        }
    ),
    max_leaves=2,
)


def as_text(value: JSONValue) -> str:
    """What PostgreSQL's ``->>`` makes of a JSON value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return '{"a": 1}'
    return value if isinstance(value, str) else str(value).replace("'", '"')


def is_date(value: JSONValue) -> bool:
    return isinstance(value, str) and len(value) == 10 and value[4] == "-"


ORDER: Final[dict[str, Callable[..., bool]]] = {
    "eq": lambda a, b: a == b,
    "neq": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "after": lambda a, b: a > b,
    "lt": lambda a, b: a < b,
    "before": lambda a, b: a < b,
    "gte": lambda a, b: a >= b,
    "lte": lambda a, b: a <= b,
    "in": lambda a, b: a in b,
}


def text_holds(text: str, operator: str, value: JSONValue) -> bool:
    if operator == "in":
        return isinstance(value, list) and text in value
    needle = str(value)
    holds = {
        "eq": text == needle,
        "neq": text != needle,
        "contains": needle.lower() in text.lower(),
        "not_contains": needle.lower() not in text.lower(),
        "starts_with": text.lower().startswith(needle.lower()),
    }[operator]
    return holds and text != ""


def set_holds(found: set[str], operator: str, value: JSONValue, *, is_present: bool) -> bool:
    wanted = {str(one) for one in value} if isinstance(value, list) else {str(value)}
    meets = bool(found & wanted)
    return {
        "has": meets,
        "contains": meets,
        "in": meets,
        "not_has": not meets,
        "not_contains": not meets and is_present,
    }[operator]


def holds(part: JSONObject, person: Person) -> bool:
    """Evaluate a filter on one person, without any SQL."""
    if "conditions" in part:
        results = [holds(inner, person) for inner in part["conditions"]]  # type: ignore[union-attr, arg-type]
        return all(results) if part["match"] == "all" else any(results)
    field, value = str(part["field"]), part["value"]
    operator = {"is_empty": "is_not_set", "is_not_empty": "is_set"}.get(str(part["operator"]), str(part["operator"]))
    stored = person.last_name if field == "last_name" else person.custom.get(field)
    if field in ("tag", "list"):
        found = {tag.lower() for tag in person.tags} if field == "tag" else {"news"} if person.is_on_list else set()
        return membership_holds(found, operator, value)
    return value_holds(field, stored, operator, value)


def membership_holds(found: set[str], operator: str, value: JSONValue) -> bool:
    if operator in ("is_set", "is_not_set"):
        return bool(found) == (operator == "is_set")
    lowered: JSONValue = [str(one).lower() for one in value] if isinstance(value, list) else str(value).lower()
    return set_holds(found, operator, lowered, is_present=bool(found))


def value_holds(field: str, stored: JSONValue, operator: str, value: JSONValue) -> bool:
    is_present = as_text(stored) not in ("", "[]")
    if operator in ("is_set", "is_not_set"):
        return is_present == (operator == "is_set")
    if field in ("last_name", "plan"):
        return text_holds(as_text(stored), operator, value)
    if field == "likes":
        elements = stored if isinstance(stored, (list, dict)) else [stored] if isinstance(stored, str) else []
        return set_holds({str(one) for one in elements}, operator, value, is_present=is_present)
    fits = {
        "age": isinstance(stored, (int, float)) and not isinstance(stored, bool),
        "vip": isinstance(stored, bool),
        "joined": is_date(stored),
    }[field]
    return fits and ORDER[operator](stored, value)


@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink an example by the database takes for ever
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(people=st.lists(PEOPLE, min_size=1, max_size=12), filters=st.lists(FILTERS, min_size=5, max_size=12))
def test_compiled_segments_agree_with_a_plain_evaluation(
    db: None, people: list[Person], filters: list[JSONObject]
) -> None:
    room = make_workspace()
    make_fields(room)
    stored = {store(room, number, person).pk: person for number, person in enumerate(people)}
    for filter_ in filters:
        expected = {pk for pk, person in stored.items() if holds(filter_, person)}
        preview = selectors.preview_segment(workspace=room, filter=filter_, now=NOW)
        ids = {pk for pk, _, _ in preview.sample}
        assert preview.count == len(expected), filter_
        assert ids <= expected
        assert len(ids) == min(len(expected), segments.SAMPLE_SIZE)


def store(room: Workspace, number: int, person: Person) -> Contact:
    contact = make_contact(room, f"p{number}@example.com", tags=tuple(person.tags))
    Contact.objects.filter(pk=contact.pk).update(last_name=person.last_name, custom=person.custom)
    lists = selectors.list_lists(workspace=room) or [make_list(room)]
    if person.is_on_list:
        set_member(room, lists[0], contact, MemberStatus.SUBSCRIBED)
    return contact


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
        assert [row for chunk in chunks for row in chunk] == [(one.pk, one.email) for one in expected]
        assert all(len(chunk) <= 2 for chunk in chunks)
        assert selectors.count_audience(workspace=room, audience=audience, now=NOW) == len(expected)


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
