"""Allowances: what a sender takes from the limits before anything leaves, and gives back when it did not."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from django.db import connection, transaction

from postroom.core.mail.models import Limit, LimitUse, SenderAccount
from postroom.core.mail.rules.destinations import buckets_of
from postroom.core.mail.rules.limits import USABLE_S, Rate, Use, count_room, give_back, next_room_at, take
from postroom.core.mail.rules.plans import next_common_opening, zone_of
from postroom.core.mail.selectors.limits import limits_of, rate_of, windows_of
from postroom.core.mail.types import Allowance

_NEVER_OPEN: Final = timedelta(hours=1)
"""When to look again where windows exclude each other: somebody may have changed them."""

_COUNT_DAY: Final = """
INSERT INTO mail_senderday (sender_id, day, used) VALUES (%s, %s, greatest(0, %s))
ON CONFLICT (sender_id, day) DO UPDATE SET used = greatest(0, mail_senderday.used + %s)
"""


class _Rated(NamedTuple):
    """A limit with a number, and what of it is used up."""

    row: LimitUse
    rate: Rate
    use: Use


def take_allowance(
    *, sender: SenderAccount, destination: str, wanted: int, is_urgent: bool, now: datetime, zone: str = ""
) -> Allowance:
    """Return how many of ``wanted`` messages to ``destination`` may leave now, and book them; part of a claim.

    ``zone`` is the recipients' time zone, for windows that go by it. Urgent mail ignores windows and the pace, and may
    use what bulk leaves. Costs no statement where nothing limits the account.
    """
    if not sender.is_limited or wanted <= 0:
        return Allowance(wanted)
    rows = _lock_uses(sender, destination)
    if not is_urgent:
        opens = next_common_opening(windows_of([row.limit for row in rows], zone), now)
        if opens is None or opens > now:
            return Allowance(0, ready_at=opens or now + _NEVER_OPEN)
    rated, at = _rated(rows), now.timestamp()
    rooms = [count_room(one.rate, one.use, at, is_urgent=is_urgent) for one in rated]
    granted = min([wanted, *rooms])
    if granted == 0:
        full = [one for one, room in zip(rated, rooms, strict=True) if room == 0]
        asked = max(next_room_at(one.rate, one.use, wanted, at, is_urgent=is_urgent) for one in full)
        return Allowance(0, ready_at=datetime.fromtimestamp(asked, UTC))
    _store((one.row, take(one.rate, one.use, granted, at)) for one in rated)
    if rows:
        _count_day(sender, rows[0].limit, granted, now)
    return Allowance(granted, good_until=now + timedelta(seconds=USABLE_S))


@transaction.atomic
def return_allowance(*, sender_id: int, destination: str, count: int, good_until: datetime | None) -> None:
    """Give back what was granted until ``good_until`` and did not leave.

    A crash gives nothing back: a limit is a bound.
    """
    if count <= 0 or good_until is None:
        return
    granted_at = good_until - timedelta(seconds=USABLE_S)
    sender = SenderAccount.objects.get(pk=sender_id)
    rows = _lock_uses(sender, destination)
    _store((one.row, give_back(one.rate, one.use, count, granted_at.timestamp())) for one in _rated(rows))
    if rows:
        _count_day(sender, rows[0].limit, -count, granted_at)


def _lock_uses(sender: SenderAccount, destination: str) -> list[LimitUse]:
    """Return the uses of every limit that counts this mail, locked in the order in which everybody locks them."""
    limits = limits_of(sender=sender).filter(destination__in=buckets_of(destination))
    rows = LimitUse.objects.select_related("limit__workspace").filter(limit__in=limits.order_by())
    return list(rows.select_for_update(of=("self",)).order_by("pk"))


def _rated(rows: Iterable[LimitUse]) -> list[_Rated]:
    rates = ((row, rate_of(row.limit)) for row in rows)
    return [
        _Rated(row, rate, Use(row.newest, tuple(row.counts), row.paced_at)) for row, rate in rates if rate is not None
    ]


def _store(changes: Iterable[tuple[LimitUse, Use]]) -> None:
    rows = []
    for row, use in changes:
        row.newest, row.counts, row.paced_at = use.newest, list(use.counts), use.paced_at
        rows.append(row)
    LimitUse.objects.bulk_update(rows, ["newest", "counts", "paced_at"])


def _count_day(sender: SenderAccount, limit: Limit, count: int, at: datetime) -> None:
    """Count what left on the workspace's day, for people to see and for warm-ups to grow by: it also left over the
    carrier's server.
    """
    day = at.astimezone(zone_of(limit.workspace.timezone)).date()
    counted = sorted(number for number in (sender.pk, sender.carrier_id) if number is not None)
    with connection.cursor() as cursor:
        for number in counted:
            cursor.execute(_COUNT_DAY, [number, day, count, count])
