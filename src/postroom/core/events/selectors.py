"""Reads of what happened."""

from postroom.core.events.models import DomainEvent
from postroom.core.events.types import Event
from postroom.core.workspaces.models import Workspace


def list_contact_events(*, workspace: Workspace, contact_id: int, limit: int) -> list[Event]:
    """Return the newest facts about a person, as this workspace knows them, newest first."""
    rows = DomainEvent.objects.filter(workspace=workspace, contact_id=contact_id).order_by("-at", "-id")[:limit]
    return [to_event(row) for row in rows]


def to_event(row: DomainEvent) -> Event:
    """Return the frozen value of a row."""
    return Event(
        id=row.pk,
        uid=row.uid,
        workspace_id=row.workspace_id,
        name=row.name,
        object_type=row.object_type,
        object_id=row.object_id,
        contact_id=row.contact_id,
        data=row.data,
        at=row.at,
    )
