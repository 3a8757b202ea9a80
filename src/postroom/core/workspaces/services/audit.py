"""The audit trail: one row for each write, in the transaction of the write."""

from datetime import datetime

from postroom.core.workspaces.models import AuditEntry, Organization, Workspace
from postroom.core.workspaces.types import Actor, AuditRecord


def record_audit(*, workspace: Workspace, actor: Actor, record: AuditRecord, now: datetime) -> None:
    """Append what was done in ``workspace``; call it inside the transaction that did it."""
    _append(organization_id=workspace.organization_id, workspace_id=workspace.pk, actor=actor, record=record, now=now)


def record_organization_audit(*, organization: Organization, actor: Actor, record: AuditRecord, now: datetime) -> None:
    """Append what was done to an organization as a whole."""
    _append(organization_id=organization.pk, workspace_id=None, actor=actor, record=record, now=now)


def _append(
    *, organization_id: int, workspace_id: int | None, actor: Actor, record: AuditRecord, now: datetime
) -> None:
    AuditEntry.objects.create(
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
