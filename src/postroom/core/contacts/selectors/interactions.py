"""Reads of interactions."""

from uuid import UUID

from django.db.models import Q, QuerySet

from postroom.core.contacts.errors import NoSuchInteraction
from postroom.core.contacts.models import Interaction
from postroom.core.workspaces.models import Workspace
from postroom.kit.paging import Page, PageRequest, fetch_page


def visible_interactions(*, workspace: Workspace, viewer_id: int | None) -> QuerySet[Interaction]:
    """Return the workspace's interactions that a user may see: private ones are their author's alone."""
    seen = Q(is_team_visible=True)
    if viewer_id is not None:
        seen |= Q(created_by_id=viewer_id)
    return Interaction.objects.filter(
        seen, workspace=workspace, contact__erased_at=None, contact__links__workspace=workspace
    )


def get_interaction(*, workspace: Workspace, uid: UUID, viewer_id: int | None) -> Interaction:
    """Return an interaction with its person. Raises NoSuchInteraction, for another's private one too."""
    rows = visible_interactions(workspace=workspace, viewer_id=viewer_id).select_related("contact", "created_by")
    found = rows.filter(uid=uid).first()
    if found is None:
        raise NoSuchInteraction(uid=uid)
    return found


def list_interactions(
    *, workspace: Workspace, contact_id: int, viewer_id: int | None, page: PageRequest
) -> Page[Interaction]:
    """Return what passed between a person and the team, newest first, as far as this user may see it."""
    rows = visible_interactions(workspace=workspace, viewer_id=viewer_id).filter(contact_id=contact_id)
    return fetch_page(rows.select_related("created_by").order_by("-occurred_at", "-pk"), page)
