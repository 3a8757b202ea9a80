"""The pure decisions: who wins, how sure that is, and when a timetable comes."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from postroom.core.campaigns.errors import BadCampaign
from postroom.core.campaigns.rules import (
    check_trial,
    choose_winner,
    compare,
    describe_repeat,
    find_twins,
    next_run,
    read_repeat,
    words_of,
    write_repeat,
)
from postroom.core.campaigns.types import Frequency, Metric, Repeat, Score, TrialPlan, Words


def scores(*acted: int, delivered: int = 1000) -> list[Score]:
    return [Score("ABCDE"[number], delivered, count, count // 2) for number, count in enumerate(acted)]


@pytest.mark.parametrize(
    ("acted", "letter", "words"),
    [
        ((100, 150), "B", "15.0 %"),
        ((150, 100, 120), "A", "15.0 %"),
        ((80, 90, 90), "B", "B and C did equally well"),
        ((0, 9), "A", "Only 9 people opened it"),
        ((0, 1), "A", "Only 1 person opened it"),
        ((0, 0), "A", "too few to tell"),
    ],
)
def test_the_best_goes_on_and_where_nobody_can_tell_the_first(acted: tuple[int, ...], letter: str, words: str) -> None:
    verdict = choose_winner(scores(*acted), Metric.OPENS)
    assert verdict.letter == letter
    assert words in verdict.reason


def test_rates_decide_not_numbers() -> None:
    small_and_good, large_and_poor = Score("A", 100, 30, 0), Score("B", 1000, 200, 0)
    assert choose_winner([small_and_good, large_and_poor], Metric.OPENS).letter == "A"


def test_clicks_decide_where_clicks_are_asked_for() -> None:
    found = [Score("A", 100, 90, 10), Score("B", 100, 20, 19)]
    assert choose_winner(found, Metric.CLICKS).letter == "B"
    assert choose_winner(found, Metric.OPENS).letter == "A"


@pytest.mark.parametrize(
    ("acted", "chance"),
    # Worked out by hand: z = (p1 - p2) / sqrt(p (1 - p) 2 / n), both sides.
    [((100, 150), 0.00073), ((200, 228), 0.1276), ((100, 100), 1.0), ((100, 150, 90), 0.00146)],
)
def test_how_sure_it_is_comes_from_a_test_of_two_proportions(acted: tuple[int, ...], chance: float) -> None:
    assert compare(scores(*acted), Metric.OPENS).chance == pytest.approx(chance, rel=0.02)


@pytest.mark.parametrize(
    ("acted", "words"),
    [((100, 150), "B leads A by 5.0 points"), ((200, 228), "Too close to call"), ((1, 2), "Too few people")],
)
def test_confidence_is_said_in_plain_words(acted: tuple[int, ...], words: str) -> None:
    assert words in compare(scores(*acted), Metric.OPENS).words


def test_figures_that_cannot_be_do_not_break_the_page() -> None:
    odd = [Score("A", 10, 12, 0), Score("B", 0, 3, 0), Score("C", 10, 10, 0)]
    assert compare(odd, Metric.OPENS).chance == 1.0


def test_a_variant_says_what_it_says_and_the_rest_is_its_campaigns() -> None:
    own = Words("Hello", "In short", "Desk", "<p>Body</p>", "Text")
    assert words_of(own, Words(subject="Hi")) == Words("Hi", "In short", "Desk", "<p>Body</p>", "Text")
    assert words_of(own, Words(body="<p>Other</p>")) == Words("Hello", "In short", "Desk", "<p>Other</p>", "")
    assert find_twins({"A": own, "B": words_of(own, Words(subject="Hello"))}) == ("A", "B")
    assert find_twins({"A": own, "B": words_of(own, Words(sender_name="Ada"))}) is None


@pytest.mark.parametrize(
    ("plan", "variants", "words"),
    [
        (TrialPlan(), 5, "at most 5"),
        (TrialPlan(percent=0), 1, "1 to 100"),
        (TrialPlan(percent=101), 1, "1 to 100"),
        (TrialPlan(wait_minutes=0), 1, "14 days"),
        (TrialPlan(wait_minutes=20_161), 1, "14 days"),
        (TrialPlan(wanted_count=0), 1, "at least one"),
    ],
)
def test_a_trial_that_cannot_be_held_is_refused(plan: TrialPlan, variants: int, words: str) -> None:
    with pytest.raises(BadCampaign, match=words):
        check_trial(plan, variants=variants)


DAILY = Repeat(Frequency.DAILY, time(7, 5))


@pytest.mark.parametrize(
    ("repeat", "schedule", "words"),
    [
        (DAILY, "5 7 * * *", "every day at 07:05"),
        (Repeat(Frequency.WEEKLY, time(9), weekdays=(0,)), "0 9 * * 1", "every Monday at 09:00"),
        (
            Repeat(Frequency.WEEKLY, time(9), weekdays=(0, 2, 6)),
            "0 9 * * 1,3,7",
            "every Monday, Wednesday and Sunday at 09:00",
        ),
        (Repeat(Frequency.MONTHLY, time(0, 30), day=1), "30 0 1 * *", "on day 1 of each month at 00:30"),
        (Repeat(Frequency.MONTHLY, time(9), day=0), "0 9 L * *", "on the last day of each month at 09:00"),
        (Repeat(Frequency.MONTHLY, time(9), day=31), "0 9 31 * *", "on day 31 of each month that has one, at 09:00"),
    ],
)
def test_plain_words_become_a_timetable_and_can_be_read_back(repeat: Repeat, schedule: str, words: str) -> None:
    assert write_repeat(repeat) == schedule
    assert read_repeat(schedule) == repeat
    assert describe_repeat(repeat) == words


@pytest.mark.parametrize("repeat", [Repeat(Frequency.WEEKLY, time(9)), Repeat(Frequency.MONTHLY, time(9), day=32)])
def test_a_timetable_without_a_day_is_refused(repeat: Repeat) -> None:
    with pytest.raises(BadCampaign, match="day"):
        write_repeat(repeat)


def runs(schedule: str, zone: str, first: str, last: str) -> list[str]:
    """Return every run in a span of time, as the clock on the wall shows it in UTC."""
    at, end = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (first, last))
    found = []
    while (run := next_run(schedule, zone=zone, after=at)) and run < end:
        found.append(f"{run:%m-%d %H:%M}")
        at = run
    return found


@pytest.mark.parametrize(
    ("schedule", "first", "last", "expected"),
    [
        # The night of spring has no 02:30 in Berlin: it comes right after the gap, once.
        ("30 2 * * *", "2026-03-28 12:00", "2026-03-30 12:00", ["03-29 01:00", "03-30 00:30"]),
        # The night of autumn has it twice: it comes once.
        ("30 2 * * *", "2026-10-24 12:00", "2026-10-26 12:00", ["10-25 00:30", "10-26 01:30"]),
        ("0 9 29 2 *", "2026-01-01 00:00", "2029-01-01 00:00", ["02-29 08:00"]),
        ("0 9 L * *", "2028-01-31 12:00", "2028-04-01 00:00", ["02-29 08:00", "03-31 07:00"]),
        ("0 9 31 * *", "2026-01-31 12:00", "2026-06-01 00:00", ["03-31 07:00", "05-31 07:00"]),
    ],
)
def test_a_run_comes_once_on_the_nights_the_clocks_change_and_on_leap_days(
    schedule: str, first: str, last: str, expected: list[str]
) -> None:
    assert runs(schedule, "Europe/Berlin", first, last) == expected


def test_a_run_a_day_all_year_in_every_kind_of_zone() -> None:
    for zone in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"):
        for schedule in ("30 2 * * *", "0 0 * * *"):
            assert len(runs(schedule, zone, "2026-01-01 12:00", "2026-12-31 12:00")) == 364, zone


@pytest.mark.parametrize("minute", [30, 31, 59, 60, 89, 90, 91])
def test_asked_within_the_hour_that_comes_twice_it_does_not_come_a_second_time(minute: int) -> None:
    after = datetime(2026, 10, 25, 0, 0, tzinfo=UTC) + timedelta(minutes=minute)
    found = next_run("30 2 * * *", zone="Europe/Berlin", after=after)
    assert found == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_nothing_runs_after_the_last_day() -> None:
    at = datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert next_run("0 9 * * *", zone="UTC", after=at, ends_on=date(2026, 11, 21)) == at + timedelta(days=1)
    assert next_run("0 9 * * *", zone="UTC", after=at, ends_on=date(2026, 11, 20)) is None
