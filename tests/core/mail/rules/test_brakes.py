"""When a campaign stops itself."""

import pytest

from postroom.core.mail.errors import BadBrake
from postroom.core.mail.rules.brakes import HOUSE, Brake, Toll, check_levels, find_breach
from postroom.core.mail.types import BrakeLevels


@pytest.mark.parametrize(
    ("toll", "stops"),
    [
        (Toll(1000, 25, 0), True),
        (Toll(1000, 24, 0), False),
        (Toll(40_000, 999, 0), False),
        (Toll(40_000, 1000, 0), True),
        (Toll(999, 40, 0), False),
        (Toll(100, 10, 0), True),
        (Toll(99, 99, 0), False),
        (Toll(0, 0, 0), False),
        (Toll(2000, 0, 1), True),
        (Toll(2001, 0, 1), False),
        (Toll(999, 0, 2), False),
        (Toll(50, 0, 3), True),
    ],
)
def test_it_stops_at_half_of_where_providers_begin_to_look(toll: Toll, stops: bool) -> None:
    assert bool(find_breach(toll, HOUSE)) == stops


def test_the_reason_says_what_happened_and_what_to_look_at() -> None:
    assert find_breach(Toll(1000, 25, 0), HOUSE).startswith("2.5 % of the first 1,000 messages bounced (25 addresses")
    assert "called this mail unwanted (0.1 %)" in find_breach(Toll(2000, 0, 2), HOUSE)


@pytest.mark.parametrize("levels", [BrakeLevels(0, 5), BrakeLevels(5000, 5), BrakeLevels(250, 0), BrakeLevels(250, 99)])
def test_levels_that_protect_nobody_are_refused(levels: BrakeLevels) -> None:
    with pytest.raises(BadBrake):
        check_levels(levels)


def _count_until_on(brake: Brake, bounced_every: int, most: int = 5000) -> int:
    for number in range(1, most + 1):
        brake.note(is_bounced=number % bounced_every == 0)
        if brake.is_on:
            return number
    return 0


@pytest.mark.parametrize(
    ("processes", "bounced_every", "stops_at"), [(1, 40, 1000), (2, 40, 520), (1, 5, 100), (4, 5, 50), (1, 41, 0)]
)
def test_in_the_sender_process_it_knows_at_once(processes: int, bounced_every: int, stops_at: int) -> None:
    assert _count_until_on(Brake(HOUSE, processes), bounced_every) == stops_at


def test_a_brake_that_was_overruled_looks_again_soon() -> None:
    brake = Brake(HOUSE, 2)
    _count_until_on(brake, 40)
    brake.rearm()

    assert not brake.is_on
    assert 25 <= _count_until_on(brake, 20) <= 60
