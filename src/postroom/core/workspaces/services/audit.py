"""The audit trail: one row for each write, in the transaction of the write."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from django.db import connection

from postroom.core.workspaces.models import AuditEntry, Organization, Workspace
from postroom.core.workspaces.types import Actor, AuditRecord, Room
from postroom.kit.needles import word_patterns

_SCRUB_OBJECTS: Final = """
UPDATE workspaces_auditentry SET before = NULL, after = NULL
WHERE organization_id = %s AND object_type = %s AND object_id = ANY(%s) AND (before IS NOT NULL OR after IS NOT NULL)
"""
_SCRUB_TEXTS: Final = """
UPDATE workspaces_auditentry SET before = NULL, after = NULL
WHERE organization_id = %s AND (before::text ~* ANY(%s) OR after::text ~* ANY(%s))
"""


def record_audit(*, workspace: Workspace, actor: Actor, record: AuditRecord, now: datetime) -> None:
    """Append what was done in ``workspace``; call it inside the transaction that did it."""
    _entry(workspace.organization_id, workspace.pk, actor, record, now).save()


def record_audits(*, audits: Sequence[tuple[Room, Actor, AuditRecord]], now: datetime) -> None:
    """Append what was done in several workspaces at once, with one statement."""
    entries = [_entry(room.organization_id, room.workspace_id, actor, record, now) for room, actor, record in audits]
    AuditEntry.objects.bulk_create(entries)


def record_organization_audit(*, organization: Organization, actor: Actor, record: AuditRecord, now: datetime) -> None:
    """Append what was done to an organization as a whole."""
    _entry(organization.pk, None, actor, record, now).save()


def scrub_audit(*, organization_id: int, objects: Mapping[str, Sequence[int]], needles: Iterable[str]) -> None:
    """Blank what the trail says of an erased person: what was done and by whom stays, what they were like goes.

    ``objects`` are the things that were theirs, by type; ``needles`` texts that betray them anywhere else.
    """
    patterns = word_patterns(needles)
    with connection.cursor() as cursor:
        for object_type, ids in objects.items():
            cursor.execute(_SCRUB_OBJECTS, [organization_id, object_type, list(ids)])
        cursor.execute(_SCRUB_TEXTS, [organization_id, patterns, patterns])


def _entry(
    organization_id: int, workspace_id: int | None, actor: Actor, record: AuditRecord, now: datetime
) -> AuditEntry:
    return AuditEntry(
        organization_id=organization_id,
        workspace_id=workspace_id,
        user_id=actor.user_id,
        api_key_id=actor.api_key_id,
        door=actor.door,
        act=record.act,
        object_type=record.object_type,
        object_id=record.object_id,
        before=record.before,
        after=record.after,
        at=now,
    )
