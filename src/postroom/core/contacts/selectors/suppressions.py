"""Reads of suppressions."""

from collections.abc import Iterator
from uuid import UUID

from django.db.models import Q, QuerySet

from postroom.core.contacts.errors import BadAddress, NoSuchSuppression
from postroom.core.contacts.models import Contact, Suppression
from postroom.core.contacts.rules.addresses import normalise_email
from postroom.core.contacts.types import SuppressionReason, SuppressionScope
from postroom.core.workspaces.models import Workspace
from postroom.kit import crypto
from postroom.kit.paging import Page, PageRequest, fetch_page


def list_suppressions(
    *,
    workspace: Workspace,
    page: PageRequest,
    search: str = "",
    scope: SuppressionScope | None = None,
    reason: SuppressionReason | None = None,
) -> Page[Suppression]:
    """Return the suppressions of a workspace and of its organization, newest first; the platform's own stay hidden.

    ``search`` is part of an address, or a whole one, which also finds what is kept as a hash alone.
    """
    return fetch_page(_filtered(workspace, search, scope, reason).order_by("-pk"), page)


def iter_suppressions(
    *, workspace: Workspace, scope: SuppressionScope | None = None, reason: SuppressionReason | None = None
) -> Iterator[Suppression]:
    """Yield the same, oldest first, without holding them all in memory."""
    return _filtered(workspace, "", scope, reason).order_by("pk").iterator(chunk_size=2_000)


def get_suppression(*, workspace: Workspace, uid: UUID) -> Suppression:
    """Return one suppression of the workspace or its organization. Raises NoSuchSuppression."""
    row = _own(workspace).filter(uid=uid).first()
    if row is None:
        raise NoSuchSuppression(uid=uid)
    return row


def lock_suppression(*, workspace: Workspace, uid: UUID) -> Suppression:
    """Return the same, locked until the transaction ends. Raises NoSuchSuppression."""
    row = _own(workspace).select_for_update().filter(uid=uid).first()
    if row is None:
        raise NoSuchSuppression(uid=uid)
    return row


def find_suppression(*, workspace: Workspace, scope: SuppressionScope, address_hash: bytes) -> Suppression | None:
    """Return the suppression of an address in exactly this scope, locked, or None."""
    rows = Suppression.objects.select_for_update().filter(_reach(workspace, scope), address_hash=address_hash)
    return rows.first()


def suppressions_in_force(*, workspace: Workspace, contact: Contact) -> QuerySet[Suppression]:
    """Return every suppression that keeps mail of this workspace from a person."""
    reach = Q(scope=SuppressionScope.PLATFORM) | _own_reach(workspace)
    return Suppression.objects.filter(reach, address_hash=contact.address_hash or b"").order_by("pk")


def _own(workspace: Workspace) -> QuerySet[Suppression]:
    return Suppression.objects.filter(_own_reach(workspace))


def _own_reach(workspace: Workspace) -> Q:
    return _reach(workspace, SuppressionScope.ORGANIZATION) | _reach(workspace, SuppressionScope.WORKSPACE)


def _reach(workspace: Workspace, scope: SuppressionScope) -> Q:
    if scope is SuppressionScope.PLATFORM:
        return Q(scope=scope)
    if scope is SuppressionScope.ORGANIZATION:
        return Q(scope=scope, organization_id=workspace.organization_id)
    return Q(scope=scope, workspace=workspace)


def _filtered(
    workspace: Workspace, search: str, scope: SuppressionScope | None, reason: SuppressionReason | None
) -> QuerySet[Suppression]:
    rows = _own(workspace) if scope is None else Suppression.objects.filter(_reach(workspace, scope))
    if scope is SuppressionScope.PLATFORM:
        return rows.none()
    if reason is not None:
        rows = rows.filter(reason=reason)
    return rows.filter(_matches(search)) if search else rows


def _matches(search: str) -> Q:
    text = search.replace("\0", "").strip()
    try:
        return Q(address_hash=crypto.address_hash(normalise_email(text)))
    except BadAddress:
        return Q(email__icontains=text)
