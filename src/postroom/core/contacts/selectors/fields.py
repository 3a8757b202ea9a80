"""Reads of field definitions, and of how their values are used."""

from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from postroom.core.contacts.errors import NoSuchField
from postroom.core.contacts.models import Field, TypeChange
from postroom.core.contacts.types import FieldScope, FieldSpec, FieldType
from postroom.core.workspaces.models import Workspace

MAX_COUNT: Final = 10_000

_COUNT_CHOICES: Final = """
SELECT choice, count(*) FROM (
    SELECT jsonb_array_elements_text(
        CASE jsonb_typeof(custom -> %(key)s) WHEN 'array' THEN custom -> %(key)s
        ELSE jsonb_build_array(custom -> %(key)s) END) AS choice
    FROM contacts_contact WHERE organization_id = %(organization)s AND custom ? %(key)s
      AND (custom -> %(key)s ?| %(choices)s OR custom ->> %(key)s = ANY(%(choices)s))
    LIMIT %(limit)s
) chosen WHERE choice = ANY(%(choices)s) GROUP BY choice
"""


def list_fields(*, workspace: Workspace) -> list[Field]:
    """Return the fields a workspace sees, in order: the organization's core ones, its own, and the organization's
    internal ones where the workspace is set to be a global one.
    """
    return list(_visible(workspace).order_by("position", "id"))


def get_field(*, workspace: Workspace, uid: UUID) -> Field:
    """Return a field the workspace sees. Raises NoSuchField."""
    field = _visible(workspace).filter(uid=uid).first()
    if field is None:
        raise NoSuchField(uid=uid)
    return field


def lock_field(*, workspace: Workspace, uid: UUID) -> Field:
    """Return a field the workspace sees, locked until the transaction ends. Raises NoSuchField."""
    field = _visible(workspace).select_for_update().filter(uid=uid).first()
    if field is None:
        raise NoSuchField(uid=uid)
    return field


def list_field_specs(*, workspace: Workspace) -> list[FieldSpec]:
    """Return the same fields as plain values, for rules."""
    return [field_spec(field) for field in list_fields(workspace=workspace)]


def field_spec(field: Field) -> FieldSpec:
    """Return what a value of the field must look like."""
    return FieldSpec(key=field.key, label=field.label, type=FieldType(field.type), options=tuple(field.options))


def count_choices(*, field: Field, choices: list[str]) -> dict[str, int]:
    """Return how many people of the organization have each of these options chosen; about ``MAX_COUNT`` means more."""
    params: dict[str, Any] = {
        "key": field.key,
        "organization": field.organization_id,
        "choices": choices,
        "limit": MAX_COUNT,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_CHOICES, params)
        return dict(cursor.fetchall())


def find_type_change(*, field: Field) -> TypeChange | None:
    """Return the last time the field was to be given another type."""
    return TypeChange.objects.filter(field=field).order_by("-pk").first()


def _visible(workspace: Workspace) -> QuerySet[Field]:
    seen = Q(scope=FieldScope.CORE, workspace=None) | Q(workspace=workspace)
    if workspace.settings.get("is_global") is True:
        seen |= Q(scope=FieldScope.GLOBAL_INTERNAL, workspace=None)
    return Field.objects.filter(seen, organization_id=workspace.organization_id)
