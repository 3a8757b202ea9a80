"""Times as people write them: understood whole, in the reader's zone, never in the past by accident."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.kit.when import BadTime, read_when

WEDNESDAY = datetime(2026, 3, 4, 15, 37, 20, tzinfo=UTC)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def read(text: str, *, now: datetime = WEDNESDAY, zone: str = "UTC") -> str:
    return read_when(text, now=now, zone=zone).strftime("%Y-%m-%dT%H:%M:%S")


# What chrono-node 2.9.1 made of the same text at the same time.
AS_CHRONO = {
    "now": "2026-03-04T15:37:20",
    "today": "2026-03-04T15:37:20",
    "tomorrow": "2026-03-05T15:37:20",
    "tonight": "2026-03-04T22:00:00",
    "tonight at 8": "2026-03-04T20:00:00",
    "tomorrow 9am": "2026-03-05T09:00:00",
    "tomorrow at 9am": "2026-03-05T09:00:00",
    "9am tomorrow": "2026-03-05T09:00:00",
    "tomorrow 09:30": "2026-03-05T09:30:00",
    "tomorrow at 9": "2026-03-05T09:00:00",
    "tomorrow morning": "2026-03-05T06:00:00",
    "tomorrow afternoon": "2026-03-05T15:00:00",
    "tomorrow evening": "2026-03-05T20:00:00",
    "tomorrow evening at 8": "2026-03-05T20:00:00",
    "tomorrow night": "2026-03-05T20:00:00",
    "tomorrow noon": "2026-03-05T12:00:00",
    "tomorrow at midnight": "2026-03-05T00:00:00",
    "12am tomorrow": "2026-03-05T00:00:00",
    "12pm tomorrow": "2026-03-05T12:00:00",
    "this evening": "2026-03-04T20:00:00",
    "today at 5pm": "2026-03-04T17:00:00",
    "5pm": "2026-03-04T17:00:00",
    "17:00": "2026-03-04T17:00:00",
    "midnight": "2026-03-05T00:00:00",
    "friday": "2026-03-06T12:00:00",
    "friday at 5pm": "2026-03-06T17:00:00",
    "on friday at 5pm": "2026-03-06T17:00:00",
    "this friday": "2026-03-06T12:00:00",
    "next monday": "2026-03-09T12:00:00",
    "next monday 10:30": "2026-03-09T10:30:00",
    "Next Tuesday at 9:15 a.m.": "2026-03-10T09:15:00",
    "next friday": "2026-03-13T12:00:00",
    "monday next week": "2026-03-09T12:00:00",
    "in 2 hours": "2026-03-04T17:37:20",
    "in two hours": "2026-03-04T17:37:20",
    "in an hour": "2026-03-04T16:37:20",
    "in half an hour": "2026-03-04T16:07:20",
    "in 90 min": "2026-03-04T17:07:20",
    "in 2h": "2026-03-04T17:37:20",
    "in 2 hours and 30 minutes": "2026-03-04T18:07:20",
    "2 hours from now": "2026-03-04T17:37:20",
    "in 3 days": "2026-03-07T15:37:20",
    "in 3 days at 9am": "2026-03-07T09:00:00",
    "2 days from now": "2026-03-06T15:37:20",
    "in a week": "2026-03-11T15:37:20",
    "in a week at noon": "2026-03-11T12:00:00",
    "in 1 month": "2026-04-04T15:37:20",
    "next week": "2026-03-11T15:37:20",
    "next month": "2026-04-04T15:37:20",
    "next year": "2027-03-04T15:37:20",
    "the day after tomorrow at 8am": "2026-03-06T08:00:00",
    "march 10": "2026-03-10T12:00:00",
    "March 10 9am": "2026-03-10T09:00:00",
    "10 march": "2026-03-10T12:00:00",
    "10th of march 2026 at 5pm": "2026-03-10T17:00:00",
    "march 10th, 2026 3:30 pm": "2026-03-10T15:30:00",
    "Mar 10 2026 3pm": "2026-03-10T15:00:00",
    "2026/03/10 09:00": "2026-03-10T09:00:00",
    "03/10/2026 9am": "2026-03-10T09:00:00",
    "tomorrow at 9am EST": "2026-03-05T14:00:00",
    "tomorrow 9am PST": "2026-03-05T17:00:00",
    "tomorrow 9am IST": "2026-03-05T03:30:00",
    "tomorrow 9am UTC": "2026-03-05T09:00:00",
    "tomorrow 9am GMT+2": "2026-03-05T07:00:00",
    "tomorrow 9:00 +02:00": "2026-03-05T07:00:00",
    "July 4 2026 9am CET": "2026-07-04T07:00:00",
    "July 4 2026 9am ET": "2026-07-04T13:00:00",
}
# What JavaScript's Date makes of it.
AS_DATE = {
    "2026-03-10": "2026-03-10T00:00:00",
    "03/10/2026": "2026-03-10T00:00:00",
    "2026-03-10T09:00": "2026-03-10T09:00:00",
    "2026-03-10 09:00:30": "2026-03-10T09:00:30",
    "2026-03-10T09:00:00Z": "2026-03-10T09:00:00",
    "2026-03-10T09:00:00.123+02:00": "2026-03-10T07:00:00",
    "10 Mar 2026 15:00": "2026-03-10T15:00:00",
    "Tue, 10 Mar 2026 15:00:00 GMT": "2026-03-10T15:00:00",
    "Tue Mar 10 2026 15:00:00 GMT+0100 (Central European Standard Time)": "2026-03-10T14:00:00",
    "2020-01-01T00:00:00Z": "2020-01-01T00:00:00",
}
# Where those two name a time that has passed, or are wrong: the coming one.
COMING = {
    "monday": "2026-03-09T12:00:00",
    "monday at 9am": "2026-03-09T09:00:00",
    "wednesday": "2026-03-11T12:00:00",
    "wednesday 4pm": "2026-03-04T16:00:00",
    "9am": "2026-03-05T09:00:00",
    "noon": "2026-03-05T12:00:00",
    "January 5": "2027-01-05T12:00:00",
    "day after tomorrow": "2026-03-06T15:37:20",
    "next week monday 9:00": "2026-03-09T09:00:00",
    "friday 9am Europe/Berlin": "2026-03-06T08:00:00",
}


@pytest.mark.parametrize(("text", "wanted"), [*AS_CHRONO.items(), *AS_DATE.items(), *COMING.items()])
def test_a_time_in_words_is_understood(text: str, wanted: str) -> None:
    assert read(text) == wanted


@pytest.mark.parametrize("ahead", range(7))
def test_next_and_a_weekday_is_that_day_of_the_coming_week(ahead: int) -> None:
    today = datetime(2026, 3, 2, 15, tzinfo=UTC) + timedelta(ahead)
    assert [read(f"next {day}", now=today) for day in DAYS] == [f"2026-03-{9 + n:02}T12:00:00" for n in range(7)]


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "nonsense", "end of month", "eod", "yesterday", "2 hours ago", "last friday", "2h", "5"),
        *("tomorrow 9", "friday 25:00", "tomorrow 13pm", "february 30", "2026-02-30", "2026-13-01", "10.03.2026"),
        *("tomorrow friday 9am 10am", "9am 10am", "tomorrow today", "monday tuesday", "in 2 hours at 9am"),
        *("tomorrow 9am EST PST", "tomorrow 9am Nowhere/Atlantis", "in half a day", "please tomorrow", "x" * 101),
        *("in 9999 years", "0000-00-00", "in", "next", "at", ",", "()", "+02:00:00", "2026-03-10T25:00:00Z"),
    ],
)
def test_what_is_not_understood_whole_is_refused(text: str) -> None:
    with pytest.raises(BadTime, match="Invalid date format: ") as refused:
        read(text)
    assert refused.value.message == f"Invalid date format: {text[:100]}"


def test_a_time_is_by_the_readers_clock() -> None:
    assert read("tomorrow 9am", zone="America/New_York") == "2026-03-05T14:00:00"
    assert read("2026-03-10 09:00", zone="Asia/Tokyo") == "2026-03-10T00:00:00"
    late = datetime(2026, 3, 4, 23, 30, tzinfo=UTC)
    assert read("tomorrow 9am", now=late, zone="Europe/Berlin") == "2026-03-06T08:00:00"


def test_the_clock_changes_between_now_and_then() -> None:
    before = datetime(2026, 3, 28, 10, tzinfo=UTC)  # Berlin's clock goes forward on the 29th
    assert read("tomorrow 9am", now=before, zone="Europe/Berlin") == "2026-03-29T07:00:00"
    assert read("in 24 hours", now=before, zone="Europe/Berlin") == "2026-03-29T10:00:00"
    assert read("in 1 day", now=before, zone="Europe/Berlin") == "2026-03-29T09:00:00"
    assert read("tomorrow 2:30", now=before, zone="Europe/Berlin") == "2026-03-29T01:30:00"


def test_a_month_from_its_last_day_ends_with_the_next() -> None:
    assert read("in 1 month", now=datetime(2026, 1, 31, 9, tzinfo=UTC)) == "2026-02-28T09:00:00"
    assert read("in 12 months", now=datetime(2024, 2, 29, 9, tzinfo=UTC)) == "2025-02-28T09:00:00"


@given(st.text(alphabet="abcdehimnortuwy 0123456789:/,.+-", max_size=40) | st.text(max_size=20))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    with suppress(BadTime):
        assert read_when(text, now=WEDNESDAY, zone="UTC").tzinfo is UTC
