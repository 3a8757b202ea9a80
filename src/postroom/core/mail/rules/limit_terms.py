"""What a limit may say, and how it is said in words."""

from collections.abc import Iterable
from datetime import time
from typing import Final

from postroom.core.mail.errors import BadLimit
from postroom.core.mail.rules.senders import check_domain_name
from postroom.core.mail.types import Destination, NewLimit, Per, WarmUpPlan, Window, WindowZone

MOST: Final = 100_000_000
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NAMES: Final = {
    Destination.GOOGLE.value: "Google",
    Destination.MICROSOFT.value: "Microsoft",
    Destination.YAHOO.value: "Yahoo and AOL",
    Destination.APPLE.value: "Apple",
    Destination.OTHER.value: "everybody else",
}


def check_new_limit(new: NewLimit) -> str:
    """Return the destination of a limit in its one spelling. Raises BadLimit or BadDomain."""
    if new.most is None and window_of(new.days, new.opens_at, new.closes_at) is None:
        raise BadLimit("A limit needs a number, a time of day, or days of the week.")
    if new.most is not None and not 1 <= new.most <= MOST:
        raise BadLimit(f"The number must be from 1 to {MOST}.", field="most")
    if any(day not in range(1, 8) for day in new.days):
        raise BadLimit("The days go from 1 (Monday) to 7 (Sunday).", field="days")
    if (new.opens_at is None) != (new.closes_at is None):
        raise BadLimit("A time of day needs both its beginning and its end.", field="opens_at")
    if new.sender_id is not None and new.domain_id is not None:
        raise BadLimit("A limit is for one account or for one domain, not for both.", field="domain_id")
    if not new.destination or new.destination in Destination.values:
        return new.destination
    return check_domain_name(new.destination)


def check_plan(plan: WarmUpPlan) -> None:
    """Refuse a warm-up that would not grow, or never end. Raises BadLimit."""
    if not 1 <= plan.start <= plan.target <= MOST:
        raise BadLimit("A warm-up starts with at least 1 message a day and grows to a target that is no smaller.")
    if not 1 <= plan.growth <= 200:
        raise BadLimit("A warm-up grows by 1 to 200 percent a day.", field="growth")


def window_of(days: Iterable[int], opens_at: time | None, closes_at: time | None) -> Window | None:
    """Return the window that a limit names, None when it has none."""
    days = frozenset(days)
    if not days and opens_at is None:
        return None
    return Window(days, opens_at or time(0), closes_at or time(0))


def name_destination(destination: str) -> str:
    """Return what people call a destination; a domain is called by its name."""
    return _NAMES.get(destination, destination)


def say_limit(new: NewLimit) -> str:
    """Return a limit in plain words: ``400 an hour, Monday to Friday from 8:00 to 18:00, in the recipient's time``."""
    parts = [_say_rate(new.most, new.per)] if new.most is not None else []
    window = window_of(new.days, new.opens_at, new.closes_at)
    if window is not None:
        parts += [say_window(window), "in the recipient's time" if new.zone == WindowZone.RECIPIENT else ""]
    return ", ".join(filter(None, parts))


def say_window(window: Window) -> str:
    """Return a window in plain words."""
    is_whole_day = window.opens_at == window.closes_at
    hours = "" if is_whole_day else f"from {_say_time(window.opens_at)} to {_say_time(window.closes_at)}"
    return f"{_say_days(sorted(window.days))} {hours}".strip()


def _say_rate(most: int, per: Per) -> str:
    article = "an" if per == Per.HOUR else "a"
    return f"{most:,} {article} {Per(per).value}"


def _say_days(days: list[int]) -> str:
    names = [_DAYS[day - 1] for day in days]
    if not names or len(names) == 7:
        return "every day"
    if len(names) > 2 and days == list(range(days[0], days[-1] + 1)):
        return f"{names[0]} to {names[-1]}"
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _say_time(at: time) -> str:
    return f"{at.hour}:{at.minute:02}"
