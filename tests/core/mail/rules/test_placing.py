"""Where a recipient belongs: drawn by a keyed hash, and by the clock of their own zone."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from postroom.core.mail.rules.placing import draw_content, when_in
from postroom.core.mail.types import LocalTime, Split

PEOPLE = 40_000


def test_a_draw_is_even_and_keeps_to_the_share() -> None:
    split = Split(seed=7, percent=30, contents=(11, 12, 13))
    drawn = Counter(draw_content(split, person) for person in range(PEOPLE))
    assert abs(drawn[None] - 0.7 * PEOPLE) < 0.02 * PEOPLE
    assert all(abs(drawn[content] - 0.1 * PEOPLE) < 0.01 * PEOPLE for content in split.contents)


def test_a_person_is_drawn_alike_each_time_and_no_two_splits_choose_alike() -> None:
    one, other = (Split(seed=seed, percent=50, contents=(1, 2)) for seed in (1, 2))
    first = [draw_content(one, person) for person in range(1000)]
    assert first == [draw_content(one, person) for person in range(1000)]
    assert (
        sum(a == b for a, b in zip(first, (draw_content(other, person) for person in range(1000)), strict=True)) < 600
    )


def test_who_is_in_a_small_sample_is_in_a_larger_one_too() -> None:
    small, large = (Split(seed=1, percent=percent, contents=(1,)) for percent in (10, 40))
    assert all(draw_content(large, person) for person in range(2000) if draw_content(small, person))


def test_the_whole_audience_may_be_the_sample() -> None:
    split = Split(seed=3, percent=100, contents=(1, 2))
    assert None not in {draw_content(split, person) for person in range(5000)}


@pytest.mark.parametrize(
    ("wall", "zone", "at"),
    [
        ("2026-11-20 09:00", "Asia/Tokyo", "2026-11-20 00:00"),
        ("2026-11-20 09:00", "America/New_York", "2026-11-20 14:00"),
        ("2026-11-20 09:00", "Asia/Kathmandu", "2026-11-20 03:15"),
        ("2026-11-20 09:00", "", "2026-11-20 08:00"),
        ("2026-11-20 09:00", "Mars/Olympus", "2026-11-20 08:00"),
        ("2026-11-20 09:00", "../etc/passwd", "2026-11-20 08:00"),
        ("2026-11-20 09:00", "Europe", "2026-11-20 08:00"),
        # The clock skips half past two in spring, and shows it twice in autumn.
        ("2026-03-29 02:30", "Europe/Berlin", "2026-03-29 01:30"),
        ("2026-10-25 02:30", "Europe/Berlin", "2026-10-25 00:30"),
        ("2028-02-29 09:00", "Europe/Berlin", "2028-02-29 08:00"),
    ],
)
def test_a_time_on_the_wall_comes_at_another_moment_in_each_zone(wall: str, zone: str, at: str) -> None:
    wanted = LocalTime(datetime.fromisoformat(wall), default_zone="Europe/Berlin")
    assert when_in(wanted, zone) == datetime.fromisoformat(at).replace(tzinfo=UTC)
