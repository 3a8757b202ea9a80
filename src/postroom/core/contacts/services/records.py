"""Every write leaves an audit row and a domain event of the same name, in its own transaction."""

from datetime import datetime

from postroom.core.events import services as events
from postroom.core.events.types import NewEvent
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.types import JSONObject


def record(
    *,
    workspace: Workspace,
    actor: Actor,
    act: AuditRecord,
    now: datetime,
    contact_id: int | None = None,
    data: JSONObject | None = None,
) -> None:
    """Append ``act`` to the audit trail and tell it as an event; ``data``, never personal, goes with the event."""
    workspaces.record_audit(workspace=workspace, actor=actor, record=act, now=now)
    event = NewEvent(
        name=act.act,
        object_type=act.object_type,
        object_id=act.object_id or 0,
        contact_id=contact_id,
        data=data or {},
    )
    events.record_event(workspace=workspace, event=event, now=now)
