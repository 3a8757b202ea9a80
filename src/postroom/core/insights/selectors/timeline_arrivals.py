"""How it began: an import of thousands writes no event for each of them, the link to the workspace is always there."""

from collections.abc import Iterable

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.models import ContactWorkspace
from postroom.core.insights.selectors.timeline_cuts import Row, Scope, SourceCut
from postroom.core.insights.types import Reference, TimelineEntry, TimelineKind


def list_arrivals(scope: Scope, cut: SourceCut, limit: int) -> Iterable[Row]:
    """Return the arrival in the workspace when it lies behind the cut."""
    if not scope.wants(TimelineKind.ARRIVALS):
        return []
    links = ContactWorkspace.objects.filter(contact=scope.contact, workspace=scope.workspace)
    return [
        Row(link.created_at, cut.source, link.pk, lambda link=link: _show(scope, link))  # type: ignore[misc]
        for link in links
        if (link.created_at, link.pk) < (cut.at, cut.number)
    ]


def _show(scope: Scope, link: ContactWorkspace) -> TimelineEntry:
    run = contacts.find_bringing_import(workspace=scope.workspace, contact=scope.contact)
    return TimelineEntry(
        link.created_at,
        "contact.created",
        "Added to the workspace",
        detail=f"by the import of {run.filename}" if run else "",
        about=Reference("import", run.uid) if run else None,
    )
