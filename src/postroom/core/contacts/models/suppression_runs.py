"""Table of suppression files being read in."""

from django.db import models

from postroom.core.contacts.types import RunStatus, SuppressionReason, SuppressionScope
from postroom.core.workspaces.models import User, Workspace
from postroom.kit.ids import uuid7


class SuppressionRun(models.Model):
    """One file of addresses that must not be mailed: how far it is, what came of it.

    ``processed_rows = added_rows + known_rows + error_rows`` at every commit. ``scope`` and ``reason`` are for rows
    that name none. ``errors`` are the first rows that could not be read, as (row number, reason).
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    door = models.CharField(max_length=12)
    filename = models.CharField(max_length=255)
    file = models.CharField(max_length=255)
    scope = models.CharField(max_length=12, choices=SuppressionScope)
    reason = models.CharField(max_length=12, choices=SuppressionReason)
    status = models.CharField(max_length=10, choices=RunStatus, default=RunStatus.QUEUED)
    error = models.CharField(max_length=1000, blank=True, default="")
    total_rows = models.IntegerField(null=True)
    processed_rows = models.IntegerField(default=0)
    added_rows = models.IntegerField(default=0)
    known_rows = models.IntegerField(default=0)
    error_rows = models.IntegerField(default=0)
    errors = models.JSONField(default=list)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.filename} {self.status}"
