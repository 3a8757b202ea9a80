"""Tables of exports."""

from django.db import models

from postroom.core.contacts.types import ExportFormat, RunStatus
from postroom.core.workspaces.models import User, Workspace
from postroom.kit.ids import uuid7


class ExportRun(models.Model):
    """One file of people made on request; ``selection`` says which people (see ``types.Selection``)."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="exports")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    door = models.CharField(max_length=12)
    selection = models.JSONField(default=dict)
    format = models.CharField(max_length=4, choices=ExportFormat, default=ExportFormat.CSV)
    status = models.CharField(max_length=10, choices=RunStatus, default=RunStatus.QUEUED)
    error = models.CharField(max_length=1000, blank=True, default="")
    file = models.CharField(max_length=255, blank=True, default="")
    file_size = models.BigIntegerField(default=0)
    total_rows = models.IntegerField(null=True)
    processed_rows = models.IntegerField(default=0)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"export {self.pk} {self.status}"
