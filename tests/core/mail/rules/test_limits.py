"""What a limit lets go: never more than it says, in any span of time, and nearly all of it."""

import random
from bisect import bisect_left

import pytest

from postroom.core.mail.rules.limits import USABLE_S, Rate, Use, count_room, give_back, next_room_at, take
from postroom.core.mail.types import Per

T0 = 1_790_000_000.0


def _most_in_any(times: list[float], span_s: float) -> int:
    times = sorted(times)
    return max((index + 1 - bisect_left(times, at - span_s) for index, at in enumerate(times)), default=0)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("most", [1, 2, 9, 37, 400, 5000])
def test_no_window_on_the_wire_ever_holds_more_than_the_limit(seed: int, most: int) -> None:
    chance = random.Random(seed * 1000 + most)
    rate, use = Rate(most, Per.MINUTE), Use()
    left: list[float] = []
    at = T0 + chance.random()
    while at < T0 + 400:
        at += chance.choice((0.0, 0.01, 0.3, 1.7, 20.0)) * chance.random()
        is_urgent = chance.random() < 0.3
        skewed = at + chance.uniform(-0.5, 0.5)  # this machine's clock
        granted = min(chance.randint(1, most), count_room(rate, use, skewed, is_urgent=is_urgent))
        if not granted:
            continue
        use = take(rate, use, granted, skewed)
        back = chance.randint(0, granted) if chance.random() < 0.4 else 0
        use = give_back(rate, use, back, skewed)
        left += [at + chance.random() * USABLE_S for _ in range(granted - back)]

    assert _most_in_any(left, 60.0) <= most


@pytest.mark.parametrize(("most", "per", "hours"), [(60, Per.MINUTE, 0.5), (400, Per.HOUR, 4), (9, Per.MINUTE, 1)])
def test_bulk_gets_nearly_all_but_the_reserve_and_gets_it_evenly(most: int, per: Per, hours: float) -> None:
    rate, use, at, left = Rate(most, per), Use(), T0, list[float]()
    while at < T0 + hours * 3600:
        if granted := count_room(rate, use, at, is_urgent=False):
            use = take(rate, use, min(granted, 100), at)
            left += [at] * min(granted, 100)
        else:
            at = next_room_at(rate, use, 100, at, is_urgent=False) + 0.2

    expected = (most - most // 10) * hours * 3600 / rate.period_s
    assert 0.8 * expected <= len(left) <= expected + rate.burst
    assert _most_in_any(left, rate.period_s / 20) <= max(2, rate.burst) + most / 20


def test_the_last_tenth_is_kept_for_mail_that_somebody_waits_for() -> None:
    rate = Rate(100, Per.DAY)
    use = take(rate, Use(), count_room(rate, Use(), T0, is_urgent=False), T0)

    assert count_room(rate, use, T0 + 1, is_urgent=False) == 0
    assert count_room(rate, use, T0 + 1, is_urgent=True) == 10


def test_a_day_not_spread_goes_at_once_and_comes_back_a_day_later() -> None:
    rate = Rate(100, Per.DAY)
    use = take(rate, Use(), 90, T0)
    again = next_room_at(rate, use, 90, T0 + 10, is_urgent=False)

    assert 86_400 < again - T0 < 86_400 + 2 * rate.slot_s
    assert count_room(rate, use, again, is_urgent=False) == 90


def test_what_never_left_comes_back() -> None:
    rate = Rate(50, Per.DAY)
    use = give_back(rate, take(rate, Use(), 40, T0), 15, T0)

    assert count_room(rate, use, T0 + 1, is_urgent=False) == 20


def test_the_time_to_ask_again_is_a_time_at_which_there_is_room() -> None:
    chance = random.Random(4)
    for most in (1, 3, 30, 600):
        rate, use, at = Rate(most, Per.MINUTE), Use(), T0
        for _ in range(300):
            is_urgent = chance.random() < 0.5
            room = count_room(rate, use, at, is_urgent=is_urgent)
            if room:
                use = take(rate, use, chance.randint(1, room), at)
            else:
                at = next_room_at(rate, use, 5, at, is_urgent=is_urgent)
                assert count_room(rate, use, at + 0.001, is_urgent=is_urgent) >= 1
