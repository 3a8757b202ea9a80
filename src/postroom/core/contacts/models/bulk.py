"""Tables of bulk actions: one change to many people."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from postroom.core.contacts.types import RunStatus
from postroom.core.workspaces.models import User, Workspace
from postroom.kit.ids import uuid7


class BulkRun(models.Model):
    """One action on a selection of people, done batch by batch by a job.

    ``selection`` says on whom (see ``types.Selection``), ``params`` what the ``action`` needs. It goes through the
    people up to the newest there was when it began, ``until_contact_id``: nobody who comes later is touched.
    ``changed_rows`` counts those whom it really changed.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="bulk_runs")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    door = models.CharField(max_length=12)
    action = models.CharField(max_length=20)
    params = models.JSONField(default=dict)
    selection = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=RunStatus, default=RunStatus.QUEUED)
    error = models.CharField(max_length=1000, blank=True, default="")
    total_rows = models.IntegerField(null=True)
    processed_rows = models.IntegerField(default=0)
    changed_rows = models.IntegerField(default=0)
    undone_rows = models.IntegerField(default=0)
    last_contact_id = models.BigIntegerField(default=0)
    until_contact_id = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.action} {self.status}"


class BulkChange(models.Model):
    """Whom one batch of a bulk action changed, and what they had before where an undo needs it."""

    run = models.ForeignKey(BulkRun, on_delete=models.CASCADE, related_name="changes")
    contact_ids = ArrayField(models.BigIntegerField())
    before = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.run_id}: {len(self.contact_ids)}"
