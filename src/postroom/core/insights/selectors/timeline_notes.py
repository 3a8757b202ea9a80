"""What passed between a person and the team: notes, calls, meetings."""

from collections.abc import Iterable

from django.db.models import Q

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.models import Interaction
from postroom.core.contacts.types import InteractionType
from postroom.core.insights.selectors.timeline_cuts import Row, Scope, SourceCut
from postroom.core.insights.selectors.timeline_people import name_actor
from postroom.core.insights.types import Reference, TimelineEntry, TimelineKind


def list_notes(scope: Scope, cut: SourceCut, limit: int) -> Iterable[Row]:
    """Return the newest interactions behind the cut that this viewer may see."""
    if not scope.wants(TimelineKind.NOTES):
        return []
    behind = Q(occurred_at__lt=cut.at) | Q(occurred_at=cut.at, pk__lt=cut.number)
    seen = contacts.visible_interactions(workspace=scope.workspace, viewer_id=scope.viewer_id)
    rows = seen.filter(behind, contact=scope.contact, occurred_at__lte=cut.at).select_related("created_by")
    found = rows.order_by("-occurred_at", "-pk")[:limit]
    return [Row(row.occurred_at, cut.source, row.pk, lambda row=row: _show(row)) for row in found]  # type: ignore[misc]


def _show(row: Interaction) -> TimelineEntry:
    label = str(InteractionType(row.type).label)
    return TimelineEntry(
        row.occurred_at,
        f"note.{row.type}",
        f"{label}: {row.subject}" if row.subject else label,
        detail=row.body,
        who=name_actor(row.created_by, "web") if row.created_by else "",
        about=Reference("interaction", row.uid),
        is_private=not row.is_team_visible,
    )
