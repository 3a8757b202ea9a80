"""Tables of custom fields."""

from django.db import models

from postroom.core.contacts.types import FieldScope, FieldType
from postroom.core.workspaces.models import Organization, Workspace
from postroom.kit.ids import uuid7


class Field(models.Model):
    """The definition of a custom field; values live in ``Contact.custom`` under ``key``, as typed JSON."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="fields")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, related_name="fields")
    scope = models.CharField(max_length=16, choices=FieldScope)
    key = models.CharField(max_length=80)
    label = models.CharField(max_length=200)
    type = models.CharField(max_length=12, choices=FieldType)
    options = models.JSONField(default=list)
    description = models.CharField(max_length=500, blank=True, default="")
    position = models.IntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "workspace", "key"), nulls_distinct=False, name="field_key_once"
            ),
        )

    def __str__(self) -> str:
        return self.key
