"""Reads of what happened."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import Q

from postroom.core.events.models import DomainEvent
from postroom.core.events.types import Event
from postroom.core.workspaces.models import Workspace


def list_contact_events(
    *,
    workspace: Workspace,
    contact_id: int,
    limit: int,
    names: Sequence[str] | None = None,
    before: tuple[datetime, int] | None = None,
) -> list[Event]:
    """Return the newest facts about a person, as this workspace knows them, newest first: only those called one of
    ``names``, and older than the instant and key ``before``, where these are given.
    """
    rows = DomainEvent.objects.filter(workspace=workspace, contact_id=contact_id)
    if names is not None:
        rows = rows.filter(name__in=names)
    if before is not None:
        at, key = before
        rows = rows.filter(Q(at__lt=at) | Q(at=at, pk__lt=key), at__lte=at)
    return [to_event(row) for row in rows.order_by("-at", "-id")[:limit]]


def contacts_with_events(*, contact_ids: Collection[int]) -> set[int]:
    """Return those of the people about whom anything was recorded."""
    found = DomainEvent.objects.filter(contact_id__in=contact_ids)
    return {key for key in found.values_list("contact_id", flat=True).distinct() if key is not None}


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
