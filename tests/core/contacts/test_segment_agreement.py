"""Compiled segments are valid SQL and agree with a plain evaluation, whatever is asked about whatever was stored."""

from datetime import datetime
from typing import Final

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from postroom.core.contacts import selectors
from postroom.core.contacts.rules import compile_filter
from postroom.core.contacts.rules.filter_language import Group
from postroom.core.contacts.selectors import segments
from postroom.core.contacts.selectors.filter_names import load_room
from postroom.kit.types import JSONObject
from tests.core.contacts.segment_crowds import NOWS, TYPES, ZONES, Crowd, filters, people, renamed, store
from tests.core.contacts.segment_oracle import Person, World, holds

pytestmark = pytest.mark.django_db

AT_ONCE: Final = 40
QUICK: Final = settings(
    max_examples=13,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink an example by the database takes for ever
    suppress_health_check=[*HealthCheck],
)
MOMENTS: Final = st.tuples(st.sampled_from(NOWS), st.sampled_from(ZONES))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[datetime, str, list[Person], list[JSONObject]]:
    """A moment, a crowd, and as many segments as are asked of it at once."""
    now, zone = draw(MOMENTS)
    crowd = draw(st.lists(people(now), min_size=1, max_size=8))
    return now, zone, crowd, draw(st.lists(filters(now), min_size=AT_ONCE, max_size=AT_ONCE))


def check(now: datetime, zone: str, crowd: Crowd, asked: list[JSONObject]) -> None:
    """Compare the whole answers: one statement selects every segment's people."""
    world = World(now, zone, TYPES)
    parsed = [segments.parse_segment(workspace=crowd.room, filter_=one) for one in asked]
    room = load_room(workspace=crowd.room, filter_=Group(True, tuple(parsed)), now=now)
    compiled = [compile_filter(one, room) for one in parsed]
    columns = ", ".join(f"{one.text} IS TRUE" for one in compiled)
    params = [param for one in compiled for param in one.params]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.id, {columns} FROM {segments.PEOPLE}",
            [*params, crowd.room.pk, crowd.room.organization_id],
        )
        rows = {row[0]: row[1:] for row in cursor.fetchall()}
    for pk, person in crowd.people.items():
        for filter_, answer in zip(asked, rows[pk], strict=True):
            assert answer == holds(filter_, person, world), (filter_, person, world)
    check_preview(crowd, asked[0], now, world)


def check_preview(crowd: Crowd, filter_: JSONObject, now: datetime, world: World) -> None:
    expected = {pk for pk, person in crowd.people.items() if holds(filter_, person, world)}
    found = selectors.preview_segment(workspace=crowd.room, filter=filter_, now=now)
    assert found.count == len(expected)
    assert [pk for pk, _, _ in found.sample] == sorted(expected, reverse=True)[: segments.SAMPLE_SIZE]


def run(example: tuple[datetime, str, list[Person], list[JSONObject]]) -> None:
    now, zone, members, asked = example
    crowd = store(members, zone, now)
    check(now, zone, crowd, [renamed(one, crowd.campaigns) for one in asked])  # type: ignore[misc]


@QUICK
@given(example=pairs())
def test_compiled_segments_agree_with_a_plain_evaluation(
    db: None, example: tuple[datetime, str, list[Person], list[JSONObject]]
) -> None:
    run(example)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@settings(QUICK, max_examples=10_000 // AT_ONCE)
@given(example=pairs())
def test_ten_thousand_random_segments_agree_with_a_plain_evaluation(
    db: None, example: tuple[datetime, str, list[Person], list[JSONObject]]
) -> None:
    run(example)
