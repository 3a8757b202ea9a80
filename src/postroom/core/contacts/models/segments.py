"""Tables of segments."""

from django.db import models
from django.db.models.functions import Lower

from postroom.core.workspaces.models import Workspace
from postroom.kit.ids import uuid7


class Segment(models.Model):
    """A question about people: ``filter`` is ``{"match": "all"|"any", "conditions": [...]}``.

    ``size`` is how many it found when it was last counted, ``measured_at`` when that was last tried, and ``size_note``
    why it did not work then.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="segments")
    name = models.CharField(max_length=200)
    description = models.CharField(max_length=500, blank=True, default="")
    filter = models.JSONField()
    size = models.IntegerField(null=True)
    measured_at = models.DateTimeField(null=True)
    size_note = models.CharField(max_length=500, blank=True, default="", db_default="")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint("workspace", Lower("name"), name="segment_name_once"),)

    def __str__(self) -> str:
        return self.name


class SegmentSize(models.Model):
    """How many people a segment found at a time: its plot."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="sizes", db_index=False)
    at = models.DateTimeField()
    count = models.IntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("segment", "at"), name="segment_size_once"),)

    def __str__(self) -> str:
        return f"{self.segment_id}: {self.count}"
