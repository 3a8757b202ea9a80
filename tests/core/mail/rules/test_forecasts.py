"""Forecasts, held against a simulation of what they foretell: the very rules that let mail leave."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta

import pytest

from postroom.core.mail.rules.destinations import buckets_of
from postroom.core.mail.rules.forecasts import Line, forecast
from postroom.core.mail.rules.limits import Rate, Use, count_room, next_room_at, take
from postroom.core.mail.rules.plans import next_common_opening
from postroom.core.mail.types import Forecast, Per, Window

FRIDAY = datetime(2026, 11, 20, 15, tzinfo=UTC)
OFFICE = ((Window(frozenset({1, 2, 3, 4, 5}), time(8), time(18)), UTC),)


def _simulate(counts: Mapping[str, int], lines: list[Line]) -> datetime:
    """Return when the last message leaves, sent as senders send: what has room goes, else they ask again in time."""
    left, uses, at = dict(counts), [line.use for line in lines], FRIDAY
    while any(left.values()):
        soonest = at + timedelta(days=8)
        for name in [name for name, number in left.items() if number]:
            mine = [place for place, line in enumerate(lines) if line.destination in buckets_of(name)]
            opens = next_common_opening([window for place in mine for window in lines[place].windows], at)
            assert opens is not None
            if opens > at:
                soonest = min(soonest, opens)
                continue
            rated = [(place, rate) for place in mine if (rate := lines[place].rate) is not None]
            stamp = at.timestamp()
            rooms = [count_room(rate, uses[place], stamp, is_urgent=False) for place, rate in rated]
            count = min([left[name], *rooms])
            for place, rate in rated:
                uses[place] = take(rate, uses[place], count, stamp)
            left[name] -= count
            waits = [next_room_at(rate, uses[place], left[name], stamp, is_urgent=False) for place, rate in rated]
            soonest = min(soonest, datetime.fromtimestamp(max(waits, default=stamp + 1), UTC))
        if any(left.values()):
            at = max(soonest, at + timedelta(seconds=0.5))
    return at


def _forecast(counts: Mapping[str, int], lines: list[Line], measured: float | None = None) -> Forecast:
    return forecast(counts=counts, lines=lines, starts_at=FRIDAY, measured=measured)


@pytest.mark.parametrize(
    ("counts", "lines", "slowest"),
    [
        ({"other": 3000}, [Line("", Rate(400, Per.HOUR))], ""),
        ({"other": 500}, [Line("", Rate(60, Per.MINUTE))], ""),
        ({"other": 2000, "google": 100}, [Line("", Rate(400, Per.HOUR), windows=OFFICE)], ""),
        (
            {"google": 900, "microsoft": 900, "other": 900},
            [Line("", Rate(2000, Per.HOUR)), Line("microsoft", Rate(100, Per.HOUR))],
            "microsoft",
        ),
        ({"google": 450, "other": 10}, [Line("google", Rate(100, Per.DAY))], "google"),
        ({"other": 700}, [Line("", Rate(300, Per.DAY), windows=OFFICE)], ""),
        ({"other": 120}, [Line("", Rate(100, Per.DAY, is_spread=True))], ""),
        (
            {"yahoo": 400, "other": 800},
            [
                Line("", Rate(900, Per.HOUR), windows=OFFICE),
                Line("yahoo", Rate(90, Per.HOUR), windows=((Window(frozenset(), time(9), time(16)), UTC),)),
            ],
            "yahoo",
        ),
    ],
)
def test_it_comes_true(counts: dict[str, int], lines: list[Line], slowest: str) -> None:
    said, came = _forecast(counts, lines), _simulate(counts, lines)

    assert said.finishes_at is not None
    took = (came - FRIDAY).total_seconds()
    assert abs((said.finishes_at - came).total_seconds()) <= max(120, 0.1 * took), (said.finishes_at, came)
    assert said.slowest == slowest


def test_without_limits_it_takes_as_long_as_the_measured_rate_says() -> None:
    assert _forecast({"other": 6000}, [], 100.0) == Forecast(100.0, FRIDAY + timedelta(seconds=60))
    assert _forecast({"other": 6000}, []) == Forecast(0.0, None)


def test_the_measured_rate_stands_still_while_the_window_is_shut() -> None:
    said = _forecast({"other": 4 * 3600}, [Line("", None, windows=OFFICE)], 1.0)

    assert said.finishes_at == datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_what_is_used_up_already_makes_it_later() -> None:
    rate = Rate(100, Per.DAY)
    used = take(rate, Use(), 90, FRIDAY.timestamp())

    fresh, late = (_forecast({"other": 50}, [Line("", rate, use)]).finishes_at for use in (Use(), used))
    assert fresh == FRIDAY
    assert late is not None
    assert timedelta(days=1) <= late - FRIDAY <= timedelta(days=1, hours=1)


def test_a_warm_up_gets_faster_every_day() -> None:
    plain = _forecast({"other": 1000}, [Line("", Rate(100, Per.DAY))]).finishes_at
    growing = _forecast({"other": 1000}, [Line("", Rate(100, Per.DAY), caps=(100, 200, 400, 800))]).finishes_at

    assert plain is not None
    assert growing is not None
    assert (plain - FRIDAY).days == 11
    assert (growing - FRIDAY).days == 3


def test_windows_that_exclude_each_other_never_end() -> None:
    lines = [Line("", Rate(5, Per.DAY), windows=((Window(frozenset({day})), UTC),)) for day in (1, 2)]

    assert _forecast({"other": 10}, lines).finishes_at is None


def test_nothing_left_is_done_now() -> None:
    assert _forecast({}, []).finishes_at == FRIDAY
