"""Timetables: plain words to cron expressions and back, and when the next run is."""

from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim

from postroom.core.campaigns.errors import BadCampaign
from postroom.core.campaigns.types import Frequency, Repeat

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def write_repeat(repeat: Repeat) -> str:
    """Return a timetable as a cron expression. Raises BadCampaign when it names no day."""
    clock = f"{repeat.at.minute} {repeat.at.hour}"
    if repeat.frequency is Frequency.DAILY:
        return f"{clock} * * *"
    if repeat.frequency is Frequency.MONTHLY:
        if not 0 <= repeat.day <= 31:
            raise BadCampaign("Choose a day of the month from 1 to 31, or the last one.", field="day")
        return f"{clock} {repeat.day or 'L'} * *"
    if not repeat.weekdays or not set(repeat.weekdays) <= set(range(7)):
        raise BadCampaign("Choose at least one day of the week.", field="weekdays")
    return f"{clock} * * {','.join(str(day + 1) for day in sorted(set(repeat.weekdays)))}"


def read_repeat(schedule: str) -> Repeat:
    """Return the timetable that ``write_repeat`` wrote."""
    minute, hour, day, _, weekdays = schedule.split()
    at = time(int(hour), int(minute))
    if weekdays != "*":
        return Repeat(Frequency.WEEKLY, at, weekdays=tuple(int(one) - 1 for one in weekdays.split(",")))
    if day != "*":
        return Repeat(Frequency.MONTHLY, at, day=0 if day == "L" else int(day))
    return Repeat(Frequency.DAILY, at)


def describe_repeat(repeat: Repeat) -> str:
    """Return a timetable as a person says it."""
    clock = f"at {repeat.at:%H:%M}"
    if repeat.frequency is Frequency.DAILY:
        return f"every day {clock}"
    if repeat.frequency is Frequency.WEEKLY:
        return f"every {_listed([_DAYS[day] for day in repeat.weekdays])} {clock}"
    if repeat.day > 28:
        return f"on day {repeat.day} of each month that has one, {clock}"
    return f"on {f'day {repeat.day}' if repeat.day else 'the last day'} of each month {clock}"


def next_run(schedule: str, *, zone: str, after: datetime, ends_on: date | None = None) -> datetime | None:
    """Return the first instant after ``after`` that a cron expression names by the clock of ``zone``.

    A time that the clock skips in spring comes right after the gap, one that it shows twice in autumn comes once, as
    in Debian's cron(8). None when it would be after the day ``ends_on``.
    """
    times = CronSim(schedule, after.astimezone(ZoneInfo(zone)))
    # Asked from within the hour that comes twice, it may name a time that has been.
    found: datetime = next(at for at in times if at.astimezone(UTC) > after)
    if ends_on is not None and found.date() > ends_on:
        return None
    return found.astimezone(UTC)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
