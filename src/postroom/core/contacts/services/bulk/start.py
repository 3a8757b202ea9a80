"""Takes the wish for a bulk action down, checked as far as it can be now, and defers the job."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from django.db import transaction

from postroom.core.contacts import rules
from postroom.core.contacts.errors import BadBulk, BulkChanged
from postroom.core.contacts.jobs import defer_run_bulk
from postroom.core.contacts.models import BulkRun, ContactWorkspace
from postroom.core.contacts.selectors.directory import count_people
from postroom.core.contacts.selectors.fields import list_field_specs
from postroom.core.contacts.selectors.lists import get_list
from postroom.core.contacts.selectors.segments import segment_time_limit
from postroom.core.contacts.selectors.selections import select_people, tag_ids
from postroom.core.contacts.services.people import find_or_make_tags
from postroom.core.contacts.types import BulkAction, BulkKind, FieldSpec, Selection
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.types import JSONObject, JSONValue

Params = Mapping[str, JSONValue]


@transaction.atomic
def start_bulk(
    *, workspace: Workspace, selection: Selection, action: BulkAction, actor: Actor, now: datetime
) -> BulkRun:
    """Have a job do the action to everybody selected; nobody who comes into the workspace later is touched.

    Raises BadBulk, BadValue, NoSuchList, NoSuchSegment, BadFilter, or for a deletion BulkChanged when it would meet
    another number of people than was confirmed, and SegmentTooSlow when they cannot be counted in time.
    """
    select_people(workspace=workspace, selection=selection)  # what cannot be selected is refused now, not by the job
    run = BulkRun.objects.create(
        workspace=workspace,
        created_by_id=actor.user_id,
        door=actor.door,
        action=action.kind,
        params=_PARAMS[action.kind](workspace, action.params, now),
        selection=rules.selection_json(selection),
        until_contact_id=_newest(workspace),
        created_at=now,
    )
    if action.kind is BulkKind.DELETE:
        _check_count(workspace, selection, action.params.get("count"))
    # What somebody searched for, or set, may be personal: it stays in the run, which is forgotten in time.
    act = AuditRecord("bulk.started", "bulk", run.pk, after={"action": action.kind.value})
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    defer_run_bulk(run_uid=run.uid)
    return run


def _newest(workspace: Workspace) -> int:
    links = ContactWorkspace.objects.filter(workspace=workspace).order_by("-contact_id")
    return links.values_list("contact_id", flat=True).first() or 0


def _check_count(workspace: Workspace, selection: Selection, confirmed: JSONValue) -> None:
    """A deletion is done to as many as somebody saw and typed."""
    with segment_time_limit():
        found = count_people(workspace=workspace, selection=selection)
    if found != confirmed:
        raise BulkChanged(f"{found:,} people are selected now. Nobody was deleted; look again and type that number.")


def _tag_params(workspace: Workspace, params: Params, now: datetime) -> JSONObject:
    made = find_or_make_tags(workspace=workspace, names=(_text(params, "tag"),), now=now)
    if not made:
        raise BadBulk("A tag needs a name.")
    ((name, tag_id),) = made.items()
    return {"tag": name, "tag_id": tag_id}


def _untag_params(workspace: Workspace, params: Params, now: datetime) -> JSONObject:
    name = _text(params, "tag").strip()
    found = tag_ids(workspace=workspace, name=name)
    if not found:
        raise BadBulk(f"There is no tag {name!r} to take off.")
    return {"tag": name, "tag_id": found[0]}


def _list_params(workspace: Workspace, params: Params, now: datetime) -> JSONObject:
    list_id = params.get("list_id")
    if not isinstance(list_id, int):
        raise BadBulk("Choose a list.")
    list_ = get_list(workspace=workspace, list_id=list_id)
    return {"list_id": list_.pk, "list": list_.name}


def _field_params(workspace: Workspace, params: Params, now: datetime) -> JSONObject:
    spec = _field(workspace, _text(params, "field"))
    value = rules.parse_value(spec, params.get("value"))
    if value is None:
        raise BadBulk(f"{spec.label} needs a value; to take it away, clear the field.")
    return {"field": spec.key, "label": spec.label, "value": value}


def _clear_params(workspace: Workspace, params: Params, now: datetime) -> JSONObject:
    spec = _field(workspace, _text(params, "field"))
    return {"field": spec.key, "label": spec.label}


def _delete_params(workspace: Workspace, params: Params, now: datetime) -> JSONObject:
    return {"count": params.get("count")}


def _field(workspace: Workspace, key: str) -> FieldSpec:
    for spec in list_field_specs(workspace=workspace):
        if spec.key == key:
            return spec
    raise BadBulk("Choose a field.")


def _text(params: Params, name: str) -> str:
    value = params.get(name, "")
    if not isinstance(value, str):
        raise BadBulk(f"The {name} is no text.")
    return value


_PARAMS: Final[dict[BulkKind, Callable[[Workspace, Params, datetime], JSONObject]]] = {
    BulkKind.TAG: _tag_params,
    BulkKind.UNTAG: _untag_params,
    BulkKind.SUBSCRIBE: _list_params,
    BulkKind.UNSUBSCRIBE: _list_params,
    BulkKind.SET_FIELD: _field_params,
    BulkKind.CLEAR_FIELD: _clear_params,
    BulkKind.DELETE: _delete_params,
}
