"""Reads of suppressions."""

from django.db.models import Q, QuerySet

from postroom.core.contacts.models import Contact, Suppression
from postroom.core.contacts.types import SuppressionScope
from postroom.core.workspaces.models import Workspace
from postroom.kit.paging import Page, PageRequest, fetch_page


def list_suppressions(*, workspace: Workspace, page: PageRequest, search: str = "") -> Page[Suppression]:
    """Return the suppressions of a workspace and of its organization, newest first; the platform's own stay hidden."""
    own = Q(scope=SuppressionScope.ORGANIZATION, organization_id=workspace.organization_id) | Q(
        scope=SuppressionScope.WORKSPACE, workspace=workspace
    )
    rows = Suppression.objects.filter(own)
    if search:
        rows = rows.filter(email__icontains=search.replace("\0", ""))
    return fetch_page(rows.order_by("-pk"), page)


def suppressions_in_force(*, workspace: Workspace, contact: Contact) -> QuerySet[Suppression]:
    """Return every suppression that keeps mail of this workspace from a person."""
    reach = (
        Q(scope=SuppressionScope.PLATFORM)
        | Q(scope=SuppressionScope.ORGANIZATION, organization_id=workspace.organization_id)
        | Q(scope=SuppressionScope.WORKSPACE, workspace=workspace)
    )
    return Suppression.objects.filter(reach, address_hash=contact.address_hash or b"").order_by("pk")
