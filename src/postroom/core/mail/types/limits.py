"""Values of limits, windows, warm-ups, forecasts, brakes and stops."""

from dataclasses import dataclass
from datetime import date, datetime, time

from django.db.models import TextChoices


class Per(TextChoices):
    """What a limit's number is counted in."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


class WindowZone(TextChoices):
    """Whose clock a window goes by."""

    WORKSPACE = "workspace"
    RECIPIENT = "recipient"


@dataclass(frozen=True, slots=True)
class Window:
    """When bulk may leave: on ``days`` (1 is Monday; empty: every day) from ``opens_at`` to ``closes_at``, exclusive.

    One that shuts no later than it opens goes on into the next day; midnight to midnight is all day.
    """

    days: frozenset[int] = frozenset()
    opens_at: time = time(0)
    closes_at: time = time(0)


@dataclass(frozen=True, slots=True)
class NewLimit:
    """A limit to set: see ``models.Limit``. Without ``opens_at`` and ``days`` it has no window."""

    sender_id: int | None = None
    domain_id: int | None = None
    destination: str = ""
    most: int | None = None
    per: Per = Per.HOUR
    days: tuple[int, ...] = ()
    opens_at: time | None = None
    closes_at: time | None = None
    zone: WindowZone = WindowZone.WORKSPACE


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many messages may leave, each until ``good_until`` at the latest (None: whenever).

    When ``count`` is 0, ``ready_at`` is when to ask again.
    """

    count: int
    good_until: datetime | None = None
    ready_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WarmUpPlan:
    """How an account grows: from ``start`` messages a day by ``growth`` percent a day to ``target``."""

    start: int
    growth: int
    target: int


@dataclass(frozen=True, slots=True)
class PlannedDay:
    """A day of a warm-up: what was planned at the start, what was allowed, what left (None: not yet)."""

    day: date
    planned: int
    cap: int | None
    sent: int | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a hand-over will be done. ``slowest`` is the destination it waits for, empty when none is slower than all.

    ``finishes_at`` is None when that cannot be said: nothing goes yet and nothing limits it, or no window ever opens.
    """

    rate_per_s: float
    finishes_at: datetime | None
    slowest: str = ""


@dataclass(frozen=True, slots=True)
class BrakeLevels:
    """The shares, per 10,000 handed over, at which a campaign stops itself."""

    bounces: int
    complaints: int


@dataclass(frozen=True, slots=True)
class StopState:
    """A panic stop: of this workspace or of all, since when, and whether every sender has obeyed by now."""

    is_everywhere: bool
    stopped_at: datetime
    is_quiet: bool
