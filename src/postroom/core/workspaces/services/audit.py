"""The audit trail: one row for each write, in the transaction of the write."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from django.db import connection

from postroom.core.workspaces.models import AuditEntry, Organization, Workspace
from postroom.core.workspaces.types import Actor, AuditRecord, Room
from postroom.kit.arrays import array_text, text_array_text
from postroom.kit.needles import word_patterns
from postroom.kit.prepared import run_prepared

_RECORD: Final = """
INSERT INTO workspaces_auditentry
    (organization_id, workspace_id, user_id, api_key_id, door, act, object_type, object_id, before, after, at)
SELECT x.organization, x.workspace, x.user_id, x.key, x.door, x.act, x.type, x.object, nullif(x.before::jsonb, 'null'),
    nullif(x.after::jsonb, 'null'), %(now)s::timestamptz
FROM unnest(%(organizations)s::bigint[], %(workspaces)s::bigint[], %(users)s::bigint[], %(keys)s::bigint[],
    %(doors)s::text[], %(acts)s::text[], %(types)s::text[], %(objects)s::bigint[], %(befores)s::text[],
    %(afters)s::text[])
    AS x(organization, workspace, user_id, key, door, act, type, object, before, after)
"""
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
    run_prepared(
        _RECORD,
        {
            "organizations": array_text(room.organization_id for room, _, _ in audits),
            "workspaces": array_text(room.workspace_id for room, _, _ in audits),
            "users": array_text(_or_null(actor.user_id) for _, actor, _ in audits),
            "keys": array_text(_or_null(actor.api_key_id) for _, actor, _ in audits),
            "doors": array_text(actor.door.value for _, actor, _ in audits),
            "acts": text_array_text(record.act for _, _, record in audits),
            "types": text_array_text(record.object_type for _, _, record in audits),
            "objects": array_text(_or_null(record.object_id) for _, _, record in audits),
            "befores": text_array_text(json.dumps(record.before) for _, _, record in audits),
            "afters": text_array_text(json.dumps(record.after) for _, _, record in audits),
            "now": now,
        },
    )


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


def _or_null(number: int | None) -> int | str:
    return "NULL" if number is None else number


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
