"""How fast something goes on, and how that is said."""

from datetime import timedelta

import pytest

from postroom.web.shared.pace import Pace, measure_pace
from postroom.web.templatetags.house import duration
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
