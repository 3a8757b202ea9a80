"""What stops mail: brakes on bad figures, and the panic stop."""

from django.db import models

from postroom.core.mail.models.batches import Batch
from postroom.core.workspaces.models import User, Workspace


class BrakeTerms(models.Model):
    """When a workspace's campaigns stop themselves; without a row the house's own terms hold. Shares are per 10,000."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, related_name="+")
    bounces = models.IntegerField()
    complaints = models.IntegerField()

    def __str__(self) -> str:
        return f"brakes of workspace {self.workspace_id}"


class BatchWatch(models.Model):
    """What the brakes remember of a batch.

    ``braked_at`` is when they stopped it. ``spared_bounces`` and ``spared_complaints`` had been counted when they did:
    once somebody lets it go on, only what comes after, out of what is sent after (``spared_sent``), stops it again.
    ``samples`` are the last (Unix seconds, answered) pairs, for the rate it goes at.
    """

    batch = models.OneToOneField(Batch, on_delete=models.CASCADE, primary_key=True, related_name="watch")
    braked_at = models.DateTimeField(null=True)
    spared_sent = models.IntegerField(default=0)
    spared_bounces = models.IntegerField(default=0)
    spared_complaints = models.IntegerField(default=0)
    samples = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"watch of batch {self.batch_id}"


class Stop(models.Model):
    """The panic stop of a workspace, or of the whole installation when ``workspace`` is null, while it lasts."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    stopped_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    stopped_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace",), nulls_distinct=False, name="stop_once"),)

    def __str__(self) -> str:
        return f"stop of {self.workspace_id or 'everything'}"
