"""Does a bulk action batch by batch. Each batch and its counts commit together, so a killed run goes on at the last
edge; a second runner finds the edge moved and leaves.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from postroom.core.contacts import rules
from postroom.core.contacts.errors import BadFilter, BadValue, BulkChanged, NoSuchSegment
from postroom.core.contacts.models import BulkChange, BulkRun, ContactWorkspace, List
from postroom.core.contacts.selectors.selections import Keys, select_people
from postroom.core.contacts.services.bulk.acts import apply_batch, can_undo
from postroom.core.contacts.services.bulk.finish import finish
from postroom.core.contacts.services.confirmations import ask_confirmations
from postroom.core.contacts.types import BulkKind, RunStatus
from postroom.core.events import services as events
from postroom.core.events.types import NewEvent
from postroom.core.workspaces.types import Actor, Door
from postroom.kit.types import JSONObject

BATCH_SIZE: Final = 5_000
_EVENTS: Final = {
    BulkKind.TAG: "contacts.tagged",
    BulkKind.UNTAG: "contacts.untagged",
    BulkKind.SUBSCRIBE: "contacts.subscribed",
    BulkKind.UNSUBSCRIBE: "contacts.unsubscribed",
    BulkKind.SET_FIELD: "contacts.updated",
    BulkKind.CLEAR_FIELD: "contacts.updated",
    BulkKind.DELETE: "contacts.deleted",
}


def run_bulk(*, run_uid: UUID, clock: Callable[[], datetime]) -> None:
    """Bring an action to its end from wherever it stands; running it twice, or two at once, does nothing twice."""
    run = BulkRun.objects.select_related("workspace").get(uid=run_uid)
    try:
        _begin(run, clock())
        while run.status == RunStatus.RUNNING:
            if _step(run, clock()):
                _end(run, clock())
                return
            run.refresh_from_db(fields=["status", "last_contact_id"])
    except (BadFilter, BadValue, BulkChanged, NoSuchSegment) as error:
        finish(run, RunStatus.FAILED, clock(), error=error.message)


def _begin(run: BulkRun, now: datetime) -> None:
    """Count once, so that progress can be shown, and say that it runs."""
    waiting = BulkRun.objects.filter(pk=run.pk, status=RunStatus.QUEUED)
    if run.status == RunStatus.QUEUED:
        people = select_people(workspace=run.workspace, selection=rules.parse_selection(run.selection))
        total = people.filter(pk__lte=run.until_contact_id).count()
        if run.action == BulkKind.DELETE and total > run.params["count"]:
            raise BulkChanged("More people are selected now than were confirmed. Nobody was deleted; look again.")
        waiting.update(status=RunStatus.RUNNING, started_at=now, total_rows=total)
        run.refresh_from_db(fields=["status", "last_contact_id"])


@transaction.atomic
def _step(run: BulkRun, now: datetime) -> bool:
    """Do the next batch, if the action still stands where this runner left it. Return whether that was all of it."""
    locked = BulkRun.objects.select_for_update().get(pk=run.pk)
    if locked.status != RunStatus.RUNNING or locked.last_contact_id != run.last_contact_id:
        return False
    locked.workspace = run.workspace
    end = _batch_end(locked)
    keys = Keys(above=locked.last_contact_id, below=end + 1)
    selection = rules.parse_selection(locked.selection)
    people = select_people(workspace=run.workspace, selection=selection, keys=keys, is_walked=True)
    ids = list(people.order_by("pk").values_list("pk", flat=True))
    changed = apply_batch(locked, ids, now)
    locked.last_contact_id = end
    locked.processed_rows += len(ids)
    locked.changed_rows += len(changed.ids)
    locked.save(update_fields=["last_contact_id", "processed_rows", "changed_rows"])
    if changed.ids:
        _remember(locked, changed.ids, changed.before, now)
    return end >= locked.until_contact_id


@transaction.atomic
def _end(run: BulkRun, now: datetime) -> None:
    """Say that it is done; whoever now waits on a list whose people confirm themselves is asked."""
    asking = List.objects.filter(pk=run.params.get("list_id"), is_double_opt_in=True)
    if run.action == BulkKind.SUBSCRIBE and asking.exists():
        actor = Actor(door=Door(run.door), user_id=run.created_by_id)
        ask_confirmations(workspace=run.workspace, list_id=run.params["list_id"], actor=actor, now=now)
    finish(run, RunStatus.DONE, now)


def _batch_end(run: BulkRun) -> int:
    """Return the key up to which the workspace has so many more people: each is looked at once, whatever is asked."""
    if "uids" in run.selection:
        return run.until_contact_id
    links = ContactWorkspace.objects.filter(
        workspace=run.workspace, contact_id__gt=run.last_contact_id, contact_id__lte=run.until_contact_id
    )
    keys = links.order_by("contact_id").values_list("contact_id", flat=True)
    return next(iter(keys[BATCH_SIZE - 1 : BATCH_SIZE]), run.until_contact_id)


def _remember(run: BulkRun, ids: list[int], before: JSONObject, now: datetime) -> None:
    """Keep whom it changed for the undo, and tell of the whole batch in one event."""
    kind = BulkKind(run.action)
    if can_undo(kind):
        BulkChange.objects.create(run=run, contact_ids=ids, before=before)
    event = NewEvent(_EVENTS[kind], "bulk", run.pk, data={"contact_ids": [*ids]})
    events.record_event(workspace=run.workspace, event=event, now=now)
