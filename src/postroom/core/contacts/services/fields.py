"""Writes of field definitions."""

import re
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction

from postroom.core.contacts import rules
from postroom.core.contacts.errors import BadField, NameTaken
from postroom.core.contacts.models import Field
from postroom.core.contacts.selectors.fields import list_fields
from postroom.core.contacts.types import FieldScope, FieldType, NewField
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord

_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}\Z")
_WITH_OPTIONS: Final = frozenset({FieldType.SELECT, FieldType.MULTISELECT})


@transaction.atomic
def create_field(*, workspace: Workspace, new: NewField, actor: Actor, now: datetime) -> Field:
    """Define a custom field. Raises BadField, BadValue, or NameTaken when a visible field has the key already."""
    label = rules.clean_line(new.label, label="Label")
    key = new.key or rules.field_key(label)
    if not label or not _KEY.match(key) or key in rules.RESERVED_KEYS:
        raise BadField(f"A field cannot be called {key[:80]!r}.", key=key)
    if new.options and new.type not in _WITH_OPTIONS:
        raise BadField(f"A {new.type.value} field has no options.", key=key)
    if any(field.key == key for field in list_fields(workspace=workspace)):
        raise NameTaken(f"There is already a field {key!r}.", key=key)
    field = _insert(workspace, new, label, key, now)
    act = AuditRecord("field.created", "field", field.pk, after={"key": key, "type": new.type.value})
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    return field


def _insert(workspace: Workspace, new: NewField, label: str, key: str, now: datetime) -> Field:
    try:
        with transaction.atomic():
            return Field.objects.create(
                organization_id=workspace.organization_id,
                workspace=workspace if new.scope is FieldScope.WORKSPACE else None,
                scope=new.scope,
                key=key,
                label=label,
                type=new.type,
                options=[rules.clean_line(option, label="Option") for option in new.options],
                created_at=now,
            )
    except IntegrityError as error:
        raise NameTaken(f"There is already a field {key!r}.", key=key) from error
