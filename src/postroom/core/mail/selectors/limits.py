"""Reads of limits: which ones hold for an account, and which domains have one of their own."""

from collections.abc import Iterable
from datetime import tzinfo
from uuid import UUID

from django.db.models import Q, QuerySet

from postroom.core.mail.errors import NoSuchLimit
from postroom.core.mail.models import Limit, SenderAccount
from postroom.core.mail.rules.limit_terms import window_of
from postroom.core.mail.rules.limits import Rate
from postroom.core.mail.rules.plans import zone_of
from postroom.core.mail.types import NewLimit, Per, Window, WindowZone
from postroom.core.workspaces.models import Workspace


def known_destinations(*, workspace_id: int) -> dict[str, str]:
    """Return the domains that have a limit of their own, each mapped to itself: the ``known`` of ``destination_of``."""
    rows = Limit.objects.filter(workspace_id=workspace_id, destination__contains=".")
    return {name: name for name in rows.values_list("destination", flat=True)}


def limits_of(*, sender: SenderAccount) -> QuerySet[Limit]:
    """Return every limit that counts mail of an account: its own, its carrier's, its domain's, the workspace's."""
    rows = Limit.objects.filter(workspace_id=sender.workspace_id)
    own = Q(sender=None) | Q(sender_id__in=[sender.pk, *([sender.carrier_id] if sender.carrier_id else [])])
    return rows.filter(own, Q(domain=None) | Q(domain_id=sender.domain_id)).order_by("pk")


def goes_by_recipients(*, sender: SenderAccount) -> bool:
    """Whether a window of the account goes by the recipients' clocks, so that their zones must be known."""
    if not sender.is_limited:
        return False
    windows = limits_of(sender=sender).filter(~Q(opens_at=None) | ~Q(days=[]))
    return windows.filter(zone=WindowZone.RECIPIENT).exists()


def get_limit(*, workspace: Workspace, uid: UUID) -> Limit:
    """Return a limit. Raises NoSuchLimit, also for one of another workspace."""
    found = Limit.objects.select_related("sender", "domain").filter(workspace=workspace, uid=uid).first()
    if found is None:
        raise NoSuchLimit("There is no such limit in this workspace.")
    return found


def list_limits(*, workspace: Workspace) -> list[Limit]:
    """Return the limits of a workspace that people set, oldest first; those of warm-ups are not among them."""
    rows = Limit.objects.select_related("sender", "domain").filter(workspace=workspace, warm_up=None)
    return list(rows.order_by("pk"))


def list_limits_of(*, sender: SenderAccount) -> list[Limit]:
    """Return every limit that counts mail of an account, with whom it was set for."""
    return list(limits_of(sender=sender).select_related("sender", "domain", "warm_up"))


def rate_of(limit: Limit) -> Rate | None:
    """Return a limit's number as the rules count with it, None when it only has a window."""
    return None if limit.most is None else Rate(limit.most, Per(limit.per), limit.is_spread)


def windows_of(limits: Iterable[Limit], recipient_zone: str) -> list[tuple[Window, tzinfo]]:
    """Return the windows of limits, each with the zone whose clock it goes by."""
    found = []
    for limit in limits:
        window = window_of(limit.days, limit.opens_at, limit.closes_at)
        if window is not None:
            own = recipient_zone if limit.zone == WindowZone.RECIPIENT else ""
            found.append((window, zone_of(own, limit.workspace.timezone)))
    return found


def terms_of(limit: Limit) -> NewLimit:
    """Return what a limit says."""
    return NewLimit(
        sender_id=limit.sender_id,
        domain_id=limit.domain_id,
        destination=limit.destination,
        most=limit.most,
        per=Per(limit.per),
        days=tuple(limit.days),
        opens_at=limit.opens_at,
        closes_at=limit.closes_at,
        zone=WindowZone(limit.zone),
    )
