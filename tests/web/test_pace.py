"""How fast something goes on, and how that is said."""

from datetime import timedelta

import pytest

from postroom.kit import clock
from postroom.web.shared.pace import Pace, measure_pace
from postroom.web.templatetags.house import destination_name, duration, minutes, until_then
from tests.factories import NOW


@pytest.mark.parametrize(
    ("done", "total", "is_live", "pace"),
    [
        (500, 2000, True, Pace(50, 30)),
        (500, None, True, Pace(50, None)),
        (2000, 2000, False, Pace(200, None)),
        (0, 2000, True, Pace(0, None)),
    ],
)
def test_the_rest_is_judged_by_the_pace_so_far(done: int, total: int | None, is_live: bool, pace: Pace) -> None:
    until = NOW + timedelta(seconds=10)
    assert measure_pace(done=done, total=total, started_at=NOW, until=until, is_live=is_live) == pace


def test_what_has_not_begun_has_no_pace() -> None:
    assert measure_pace(done=0, total=10, started_at=None, until=NOW, is_live=True) == Pace()


@pytest.mark.parametrize(("seconds", "said"), [(0, "0 s"), (119, "119 s"), (150, "2 min"), (7200, "2 h")])
def test_a_length_of_time_is_said_in_fitting_units(seconds: int, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(minutes=40), "40 min"),
        (timedelta(hours=4, minutes=21), "4 h 20 min"),
        (timedelta(hours=3, minutes=59), "4 h"),
        (timedelta(days=3), "3 days"),
    ],
)
def test_the_time_until_something_ends_is_said_as_finely_as_it_is_known(
    monkeypatch: pytest.MonkeyPatch, ahead: timedelta, said: str
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    assert until_then(NOW + ahead) == said


@pytest.mark.parametrize(
    ("number", "said"), [(1, "1 minute"), (90, "90 minutes"), (60, "1 hour"), (240, "4 hours"), (2880, "2 days")]
)
def test_a_number_of_minutes_is_said_in_the_largest_unit_that_fits(number: int, said: str) -> None:
    assert minutes(number) == said


def test_a_destination_has_the_name_people_know_and_a_domain_its_own() -> None:
    assert (destination_name("google"), destination_name("firm.example")) == ("Gmail", "firm.example")
