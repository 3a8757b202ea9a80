"""Reads of field definitions."""

from django.db.models import Q

from postroom.core.contacts.models import Field
from postroom.core.contacts.types import FieldScope, FieldSpec, FieldType
from postroom.core.workspaces.models import Workspace


def list_fields(*, workspace: Workspace) -> list[Field]:
    """Return the fields a workspace sees: the organization's core ones and its own, in order."""
    visible = Q(scope=FieldScope.CORE, workspace=None) | Q(workspace=workspace)
    fields = Field.objects.filter(visible, organization_id=workspace.organization_id)
    return list(fields.order_by("position", "id"))


def list_field_specs(*, workspace: Workspace) -> list[FieldSpec]:
    """Return the same fields as plain values, for rules."""
    return [
        FieldSpec(key=field.key, label=field.label, type=FieldType(field.type), options=tuple(field.options))
        for field in list_fields(workspace=workspace)
    ]
