"""Tables of custom fields."""

from django.db import models

from postroom.core.contacts.types import FieldScope, FieldType, RunStatus
from postroom.core.workspaces.models import Organization, User, Workspace
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


class TypeChange(models.Model):
    """A field is given another type: every stored value is read first, and only when all of them fit are they written
    anew, batch by batch by a job. ``samples`` are values that do not fit; ``last_contact_id`` is how far it got.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    field = models.ForeignKey(Field, on_delete=models.CASCADE, related_name="type_changes")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    door = models.CharField(max_length=12)
    type = models.CharField(max_length=12, choices=FieldType)
    options = models.JSONField(default=list)
    status = models.CharField(max_length=10, choices=RunStatus, default=RunStatus.QUEUED)
    error = models.CharField(max_length=1000, blank=True, default="")
    unfit_rows = models.IntegerField(default=0)
    samples = models.JSONField(default=list)
    total_rows = models.IntegerField(null=True)
    processed_rows = models.IntegerField(default=0)
    last_contact_id = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("field",), condition=models.Q(status__in=("queued", "running")), name="type_change_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.field_id} to {self.type}: {self.status}"
