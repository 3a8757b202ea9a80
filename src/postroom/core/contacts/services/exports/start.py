"""Takes the wish for an export down and defers the job."""

from datetime import datetime

from django.db import transaction

from postroom.core.contacts import rules
from postroom.core.contacts.jobs import defer_run_export
from postroom.core.contacts.models import ExportRun
from postroom.core.contacts.selectors.selections import select_people
from postroom.core.contacts.types import ExportFormat, Selection
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord


@transaction.atomic
def start_export(
    *, workspace: Workspace, selection: Selection, format: ExportFormat, actor: Actor, now: datetime
) -> ExportRun:
    """Have a file made of the people of a selection. Raises NoSuchSegment or BadFilter."""
    select_people(workspace=workspace, selection=selection)  # what cannot be selected is refused now, not by the job
    run = ExportRun.objects.create(
        workspace=workspace,
        created_by_id=actor.user_id,
        door=actor.door,
        selection=rules.selection_json(selection),
        format=format,
        created_at=now,
    )
    # What somebody searched for may be a name: it stays in the run, which is deleted in time, and out of the trail.
    act = AuditRecord("export.started", "export", run.pk, after={"format": format.value, "is_all": _is_all(selection)})
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    defer_run_export(run_uid=run.uid)
    return run


def _is_all(selection: Selection) -> bool:
    return selection == Selection()
