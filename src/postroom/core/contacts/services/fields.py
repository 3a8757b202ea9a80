"""Writes of field definitions."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction

from postroom.core.contacts import rules
from postroom.core.contacts.errors import BadField, FieldInUse, NameTaken
from postroom.core.contacts.models import Field, Segment
from postroom.core.contacts.selectors.fields import MAX_COUNT, count_choices, list_fields, lock_field
from postroom.core.contacts.selectors.segment_uses import segments_using_field
from postroom.core.contacts.types import FieldChanges, FieldScope, FieldType, NewField, RunStatus
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.types import UNSET, JSONObject

MAX_OPTIONS: Final = 500
_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}\Z")
_WITH_OPTIONS: Final = frozenset({FieldType.SELECT, FieldType.MULTISELECT})


@transaction.atomic
def create_field(*, workspace: Workspace, new: NewField, actor: Actor, now: datetime) -> Field:
    """Define a custom field. Raises BadField, BadValue, or NameTaken when a visible field has the key already."""
    label = rules.clean_line(new.label, label="Label")
    key = new.key or rules.field_key(label)
    if not label or not _KEY.match(key) or key in rules.RESERVED_KEYS:
        raise BadField(f"A field cannot be called {key[:80]!r}.", key=key)
    known = list_fields(workspace=workspace)
    if any(field.key == key for field in known):
        raise NameTaken(f"There is already a field {key!r}.", key=key)
    options = clean_options(new.type, new.options)
    position = max((field.position for field in known), default=0)
    field = _insert(workspace, new, Field(label=label, key=key, options=options, position=position, created_at=now))
    act = AuditRecord("field.created", "field", field.pk, after={"key": key, "type": new.type.value})
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    return field


@transaction.atomic
def update_field(*, workspace: Workspace, uid: UUID, changes: FieldChanges, actor: Actor, now: datetime) -> Field:
    """Say anew what a field is called, what it means, what there is to choose. Its key and its values stay.

    Raises NoSuchField, BadValue, or BadField, also when people have an option that is to go.
    """
    field = lock_field(workspace=workspace, uid=uid)
    before = _values(field)
    if changes.label is not UNSET:
        field.label = rules.clean_line(changes.label, label="Label")
        if not field.label:
            raise BadField("A field needs a label.")
    if changes.description is not UNSET:
        field.description = rules.clean_line(changes.description, label="Description", max_length=500)
    if changes.options is not UNSET:
        _set_options(field, changes.options, keeps_values=changes.keeps_values)
    after = _values(field)
    if after != before:
        field.save(update_fields=["label", "description", "options"])
        act = AuditRecord("field.updated", "field", field.pk, before=before, after=after)
        events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    return field


@transaction.atomic
def move_field(*, workspace: Workspace, uid: UUID, steps: int, actor: Actor, now: datetime) -> None:
    """Move a field so many places down (or up, below zero) among those the workspace sees. Raises NoSuchField."""
    moved = lock_field(workspace=workspace, uid=uid)
    fields = list_fields(workspace=workspace)
    place = next(at for at, field in enumerate(fields) if field.pk == moved.pk)
    target = min(max(0, place + steps), len(fields) - 1)
    if target == place:
        return
    fields.insert(target, fields.pop(place))
    for position, field in enumerate(fields, start=1):
        if field.position != position:
            Field.objects.filter(pk=field.pk).update(position=position)
    act = AuditRecord("field.moved", "field", moved.pk, before={"place": place}, after={"place": target})
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)


@transaction.atomic
def delete_field(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> None:
    """Forget a definition; the values people have stay, and show again when it is defined again under its key.

    Raises NoSuchField, or FieldInUse naming the segments that ask for it, or while its type is being changed.
    """
    field = lock_field(workspace=workspace, uid=uid)
    if field.type_changes.filter(status__in=(RunStatus.QUEUED, RunStatus.RUNNING)).exists():
        raise FieldInUse(f"The type of {field.label!r} is being changed; wait until that is done.")
    users = [segment.name for room in rooms_seeing(workspace, field) for segment in _segments(room, field)]
    if users:
        named = ", ".join(repr(name) for name in users[:5]) + (" and others" if len(users) > 5 else "")
        raise FieldInUse(f"{field.label!r} is asked for by the segment {named}; change that first.")
    act = AuditRecord("field.deleted", "field", field.pk, before={"key": field.key, **_values(field)})
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    field.delete()


def rooms_seeing(workspace: Workspace, field: Field) -> Iterable[Workspace]:
    """Return the workspaces that see a field: one for its own, all of the organization for the others."""
    if field.scope == FieldScope.WORKSPACE:
        return [workspace]
    return Workspace.objects.filter(organization_id=field.organization_id).order_by("pk")


def clean_options(type_: FieldType, options: Iterable[str]) -> list[str]:
    """Return what there is to choose, each once. Raises BadField or BadValue."""
    cleaned = list(dict.fromkeys(rules.clean_line(option, label="Option") for option in options))
    cleaned = [option for option in cleaned if option]
    if cleaned and type_ not in _WITH_OPTIONS:
        raise BadField(f"A {type_.value} field has no options.")
    if len(cleaned) > MAX_OPTIONS:
        raise BadField(f"There are {len(cleaned)} options; at most {MAX_OPTIONS} fit.")
    return cleaned


def _segments(workspace: Workspace, field: Field) -> list[Segment]:
    return segments_using_field(workspace=workspace, key=field.key)


def _set_options(field: Field, wanted: tuple[str, ...], *, keeps_values: bool) -> None:
    options = clean_options(FieldType(field.type), wanted)
    gone = [option for option in field.options if option not in options]
    # Without options every word may be said: then nothing that people have stops being one.
    if gone and options and not keeps_values:
        counts = count_choices(field=field, choices=gone)
        if counts:
            raise BadField(_still_chosen(counts))
    field.options = options


def _still_chosen(counts: dict[str, int]) -> str:
    """Say who still has what is to go."""
    most = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    named = [f"{option!r} ({'more than ' if count >= MAX_COUNT else ''}{count:,})" for option, count in most[:5]]
    rest = f" and {len(most) - 5} more options" if len(most) > 5 else ""
    return f"People still have {', '.join(named)}{rest}. Choose to keep their values, or give them another first."


def _insert(workspace: Workspace, new: NewField, field: Field) -> Field:
    field.organization_id, field.scope, field.type = workspace.organization_id, new.scope, new.type
    field.workspace = workspace if new.scope is FieldScope.WORKSPACE else None
    field.description = rules.clean_line(new.description, label="Description", max_length=500)
    try:
        with transaction.atomic():
            field.save()
    except IntegrityError as error:
        raise NameTaken(f"There is already a field {field.key!r}.", key=field.key) from error
    return field


def _values(field: Field) -> JSONObject:
    return {"label": field.label, "description": field.description, "options": [*field.options]}
