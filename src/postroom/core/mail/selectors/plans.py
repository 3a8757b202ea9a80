"""Reads that look ahead: when a hand-over will be done, and how a warm-up goes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from postroom.core.mail.models import Batch, BatchWatch, Limit, SenderAccount, SenderDay, WarmUp
from postroom.core.mail.rules.forecasts import Line, forecast
from postroom.core.mail.rules.limits import Use
from postroom.core.mail.rules.plans import cap_of, days_of, zone_of
from postroom.core.mail.selectors.limits import limits_of, rate_of, windows_of
from postroom.core.mail.types import BatchStatus, Forecast, PlannedDay, WarmUpPlan

_SHOWN_AHEAD: Final = 30
_FRESH_S: Final = 60.0
"""How old the newest sample may be for a rate to be called the present one."""

_LEFT: Final = """
SELECT c.destination, max(c.ready_at), sum(c.size) FILTER (WHERE c.ready_at IS NOT NULL OR c.status <> 'queued')
    - coalesce((SELECT sum(t.booked) FROM mail_tally t
        WHERE t.batch_id = %(batch_id)s AND t.destination = c.destination), 0)
FROM mail_chunk c WHERE c.batch_id = %(batch_id)s GROUP BY c.destination
HAVING bool_or(c.status IN ('queued', 'claimed') AND c.ready_at IS NOT NULL)
"""


def forecast_sending(
    *,
    sender: SenderAccount,
    counts: Mapping[str, int],
    starts_at: datetime,
    measured: float | None = None,
) -> Forecast:
    """Return when ``counts`` messages (by destination) from an account will be gone, begun at ``starts_at``."""
    lines = _lines(sender) if sender.is_limited else []
    return forecast(counts=counts, lines=lines, starts_at=starts_at, measured=measured)


def forecast_batch(*, batch: Batch, now: datetime) -> Forecast:
    """Return when a batch will be done, from what limits it and from how it went in the last minutes.

    What is held until somebody decides is left out, and so is a batch that stands still.
    """
    if batch.status != BatchStatus.SENDING:
        return Forecast(0.0, None)
    with connection.cursor() as cursor:
        cursor.execute(_LEFT, {"batch_id": batch.pk})
        rows = [(name, latest, int(left)) for name, latest, left in cursor.fetchall() if left > 0]
    latest = max((at for _, at, _ in rows if at is not None), default=now)
    measured = measure_pace(batch_id=batch.pk, now=now)
    said = forecast_sending(
        sender=batch.sender,
        counts={name: left for name, _, left in rows},
        starts_at=now,
        measured=measured,
    )
    if said.finishes_at is None or said.finishes_at >= latest:
        return said
    return Forecast(said.rate_per_s, latest, said.slowest)


def measure_pace(*, batch_id: int, now: datetime) -> float | None:
    """Return the messages a second that a batch went at in the last minutes, None when it did not go just now."""
    watch = BatchWatch.objects.filter(batch_id=batch_id).first()
    samples = watch.samples if watch else []
    if len(samples) < 2 or now.timestamp() - samples[-1][0] > _FRESH_S:
        return None
    (began, first), (ended, last) = samples[0], samples[-1]
    return (last - first) / (ended - began) if ended > began and last > first else None


def plan_of(warm_up: WarmUp) -> WarmUpPlan:
    """Return the plan that a warm-up follows."""
    return WarmUpPlan(warm_up.start, warm_up.growth, warm_up.target)


def find_warm_up(*, sender: SenderAccount) -> WarmUp | None:
    """Return the warm-up of an account, if it has one."""
    return WarmUp.objects.select_related("limit").filter(sender=sender).first()


def list_warm_up_days(*, warm_up: WarmUp, now: datetime) -> list[PlannedDay]:
    """Return the days of a warm-up, from its first to some weeks ahead: what was planned, allowed and sent."""
    plan = plan_of(warm_up)
    today = now.astimezone(zone_of(warm_up.sender.workspace.timezone)).date()
    caps = dict(warm_up.days.values_list("day", "cap"))
    sent = dict(SenderDay.objects.filter(sender_id=warm_up.sender_id).values_list("day", "used"))
    length = max(days_of(plan) + 1, (today - warm_up.started_on).days + 1)
    shown = min(length, (today - warm_up.started_on).days + _SHOWN_AHEAD)
    days = (warm_up.started_on + timedelta(days=step) for step in range(shown))
    return [
        PlannedDay(
            day=day,
            planned=cap_of(plan, step),
            cap=caps.get(day),
            sent=sent.get(day, 0) if day <= today else None,
        )
        for step, day in enumerate(days)
    ]


def count_today(*, sender: SenderAccount, now: datetime) -> int:
    """Return how much a limited account let go today, by the workspace's clock."""
    today = now.astimezone(zone_of(sender.workspace.timezone)).date()
    found = SenderDay.objects.filter(sender=sender, day=today).values_list("used", flat=True).first()
    return found or 0


def _lines(sender: SenderAccount) -> list[Line]:
    return [_line(limit) for limit in limits_of(sender=sender).select_related("use", "workspace", "warm_up")]


def _line(limit: Limit) -> Line:
    use = Use(limit.use.newest, tuple(limit.use.counts), limit.use.paced_at)
    warm_up = getattr(limit, "warm_up", None)
    caps: tuple[int, ...] = ()
    if warm_up is not None:
        plan = plan_of(warm_up)
        caps = tuple(cap_of(plan, step) for step in range(warm_up.step, days_of(plan) + 1))
    return Line(limit.destination, rate_of(limit), use, tuple(windows_of([limit], "")), caps)
