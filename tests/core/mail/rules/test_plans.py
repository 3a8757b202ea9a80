"""Windows by the clock on the wall, and how a warm-up grows."""

from datetime import UTC, datetime, time
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from postroom.core.mail.rules.plans import (
    PLANS,
    cap_of,
    days_of,
    iter_openings,
    next_common_closing,
    next_common_opening,
    next_opening,
    zone_of,
)
from postroom.core.mail.types import WarmUpPlan, Window

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = Window(frozenset({1, 2, 3, 4, 5}), time(8), time(18))


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-20T10:00", "2026-11-20T10:00"),  # a Friday, open
        ("2026-11-20T06:59", "2026-11-20T07:00"),  # 7:59 in Berlin
        ("2026-11-20T17:00", "2026-11-23T07:00"),  # 18:00 is shut already: Monday
        ("2026-11-21T12:00", "2026-11-23T07:00"),
        ("2026-03-27T17:30", "2026-03-30T06:00"),  # the clock went forward on Sunday
        ("2026-10-23T17:30", "2026-10-26T07:00"),  # the clock went back on Sunday
    ],
)
def test_office_hours_open_by_the_clock_on_the_wall(now: str, opens: str) -> None:
    assert next_opening(OFFICE, BERLIN, _utc(now)) == _utc(opens)


def test_a_window_over_midnight_belongs_to_the_day_it_opens() -> None:
    night = Window(frozenset({5}), time(22), time(6))

    assert next_opening(night, UTC, _utc("2026-11-21T03:00")) == _utc("2026-11-21T03:00")
    assert next_opening(night, UTC, _utc("2026-11-21T06:00")) == _utc("2026-11-27T22:00")


def test_the_nights_of_a_change_of_clocks_are_an_hour_shorter_and_longer() -> None:
    nights = Window(frozenset(), time(22), time(6))
    forward = next(islice(iter_openings(nights, BERLIN, _utc("2026-03-28T20:00")), 1))
    back = next(islice(iter_openings(nights, BERLIN, _utc("2026-10-24T19:00")), 1))

    assert (forward[1] - forward[0]).total_seconds() == 7 * 3600
    assert (back[1] - back[0]).total_seconds() == 9 * 3600


def test_an_opening_in_the_hour_that_a_clock_skips_comes_an_hour_later() -> None:
    early = Window(frozenset(), time(2, 30), time(8))

    assert next_opening(early, BERLIN, _utc("2026-03-29T00:00")) == _utc("2026-03-29T01:30")  # 3:30 on the wall


def test_several_windows_are_open_together_or_never() -> None:
    morning, noon = Window(frozenset({1}), time(8), time(12)), Window(frozenset(), time(11), time(15))

    assert next_common_opening([(morning, UTC), (noon, UTC)], _utc("2026-11-20T10:00")) == _utc("2026-11-23T11:00")
    assert next_common_opening([(morning, UTC), (Window(frozenset({2})), UTC)], _utc("2026-11-20T10:00")) is None
    assert next_common_opening([], _utc("2026-11-20T10:00")) == _utc("2026-11-20T10:00")


def test_a_window_that_shuts_when_it_opens_again_goes_on() -> None:
    weekdays = Window(frozenset({1, 2, 3, 4, 5}))

    assert next_common_closing([(weekdays, UTC)], _utc("2026-11-19T10:00")) == _utc("2026-11-21T00:00")
    assert next_common_closing([(Window(), UTC)], _utc("2026-11-19T10:00")) is None
    assert next_common_closing([(OFFICE, UTC)], _utc("2026-11-19T10:00")) == _utc("2026-11-19T18:00")


def test_the_first_zone_that_is_one_counts() -> None:
    assert zone_of("", "Nowhere/At all", "../etc", "Europe/Berlin", "UTC") == BERLIN
    assert zone_of("", "no") == UTC


def test_a_warm_up_grows_every_day_until_its_target() -> None:
    caps = [cap_of(PLANS["normal"], step) for step in range(20)]

    assert caps[:4] == [50, 67, 91, 123]
    assert caps == sorted(caps)
    assert caps[-1] == 10_000
    assert days_of(PLANS["normal"]) == 18
    assert [cap_of(WarmUpPlan(start=2, growth=1, target=6), step) for step in range(6)] == [2, 3, 4, 5, 6, 6]
