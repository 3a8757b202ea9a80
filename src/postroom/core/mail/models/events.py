"""What became of a message: events as they came in, and events applied."""

from django.db import models

from postroom.core.mail.types import EventType
from postroom.core.workspaces.models import Workspace


class StoredHit(models.Model):
    """An event as it came in, stored before anything is made of it; applying it deletes this row and appends a
    ``DeliveryEvent`` in one transaction.
    """

    key = models.CharField(max_length=200)
    type = models.CharField(max_length=14, choices=EventType)
    message_id = models.BigIntegerField()
    at = models.DateTimeField()
    link_index = models.IntegerField(null=True)
    agent = models.CharField(max_length=500, blank=True, default="")
    ip = models.CharField(max_length=45, blank=True, default="")
    is_bot = models.BooleanField(default=False)
    data = models.JSONField(default=dict)
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.type} {self.message_id}"


class DeliveryEvent(models.Model):
    """What happened to a message, append-only and partitioned by month on ``at``; ``key`` de-duplicates.

    That a message was sent or delivered by SMTP stands in its own row (``sent_at``, ``delivered_at``), not here.
    """

    pk = models.CompositePrimaryKey("at", "key")
    key = models.CharField(max_length=200)
    workspace = models.ForeignKey(
        Workspace, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    message_id = models.BigIntegerField()
    contact_id = models.BigIntegerField(null=True)
    batch_id = models.BigIntegerField(null=True)
    type = models.CharField(max_length=14, choices=EventType)
    at = models.DateTimeField()
    link_index = models.IntegerField(null=True)
    agent = models.CharField(max_length=500, blank=True, default="")
    ip = models.CharField(max_length=45, blank=True, default="")
    is_bot = models.BooleanField(default=False)
    data = models.JSONField(default=dict)

    class Meta:
        indexes = (
            models.Index(fields=("message_id", "at"), name="delivery_by_message"),
            models.Index(fields=("batch_id", "type", "at"), name="delivery_by_batch"),
            models.Index(fields=("contact_id", "-at"), name="delivery_by_contact"),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.message_id}"
