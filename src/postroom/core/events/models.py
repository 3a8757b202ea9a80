"""The outbox: one row for each thing that happened, written in the transaction that made it happen."""

from django.db import models

from postroom.core.workspaces.models import Workspace
from postroom.kit.ids import uuid7


class DomainEvent(models.Model):
    """A fact in the past tense (``contact.created``). ``dispatched_at`` is null until the subscribers have heard it.

    A subscriber that fails is asked again at ``next_attempt_at``; after the last attempt the ``error`` stays.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    object_type = models.CharField(max_length=60)
    object_id = models.BigIntegerField()
    contact_id = models.BigIntegerField(null=True)
    data = models.JSONField(default=dict)
    at = models.DateTimeField()
    dispatched_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        indexes = (
            models.Index(fields=("id",), condition=models.Q(dispatched_at=None), name="event_waiting"),
            models.Index(fields=("contact_id", "-at"), name="event_by_contact"),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.object_id}"
