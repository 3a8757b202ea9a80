"""What limits let a claim send: asked for where something limits an account, given back where it was not used."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from postroom.core.mail.models import SenderAccount
from postroom.core.mail.services.limits import return_allowance, take_allowance
from postroom.core.mail.services.routing import Route
from postroom.core.mail.types import Grant

LONGEST_WAIT: Final = timedelta(minutes=1)
"""When the limits are asked again at the latest: what others did not use may have come back to them meanwhile."""

_WAIT: Final = """
INSERT INTO mail_limitwait AS w (sender_id, destination, zone, priority, until)
VALUES (%(sender_id)s, %(destination)s, %(zone)s, %(priority)s, %(until)s)
ON CONFLICT (sender_id, destination, zone, priority) DO UPDATE SET until = excluded.until
"""


@dataclass(frozen=True, slots=True)
class Need:
    """What a claim is about to take. ``zone`` of its recipients, where a window goes by it, else empty."""

    destination: str
    count: int
    priority: int
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Granted:
    """How many messages may leave, by when at the latest, and whose limits counted them."""

    count: int
    good_until: datetime | None = None
    grants: tuple[Grant, ...] = ()


def take_grants(*, route: Route, need: Need, now: datetime) -> Granted:
    """Take room in the limits of the account, and of the one whose server carries its mail.

    Where there is none, it is noted until when, and claims pass the destination by.
    """
    granted = Granted(need.count)
    for account_id in route.limited:
        sender = SenderAccount.objects.select_related("workspace", "domain").get(pk=account_id)
        allowance = take_allowance(
            sender=sender,
            destination=need.destination,
            wanted=granted.count,
            is_urgent=need.priority == 0,
            now=now,
            zone=need.zone,
        )
        if not allowance.count:
            return_grants(grants=granted.grants, count=granted.count)
            _wait(route, need, min(allowance.ready_at or now, now + LONGEST_WAIT))
            return Granted(0)
        return_grants(grants=granted.grants, count=granted.count - allowance.count)
        grant = Grant(account_id, need.destination, allowance.good_until)
        ends = [end for end in (granted.good_until, allowance.good_until) if end is not None]
        granted = Granted(allowance.count, min(ends, default=None), (*granted.grants, grant))
    return granted


def return_grants(*, grants: tuple[Grant, ...], count: int) -> None:
    """Give back what was granted for ``count`` messages that did not leave. A crash gives nothing back: a limit is a
    bound.
    """
    if count > 0:
        for grant in grants:
            return_allowance(
                sender_id=grant.sender_id,
                destination=grant.destination,
                count=count,
                good_until=grant.good_until,
            )


def _wait(route: Route, need: Need, until: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _WAIT,
            {
                "sender_id": route.sender_id,
                "destination": need.destination,
                "zone": need.zone,
                "priority": need.priority,
                "until": until,
            },
        )
