"""What came to our own servers: mail the sandbox took, and mail that was sent back."""

from django.db import models

from postroom.core.mail.types import InboundKind
from postroom.core.workspaces.models import Workspace
from postroom.kit.ids import uuid7


class SandboxMail(models.Model):
    """A message the sandbox server took instead of the world: raw octets and what was read from them."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, related_name="sandbox_mails")
    message_id = models.BigIntegerField(null=True)
    return_path = models.CharField(max_length=320, blank=True, default="")
    recipients = models.JSONField(default=list)
    from_header = models.CharField(max_length=600, blank=True, default="")
    to_header = models.CharField(max_length=2000, blank=True, default="")
    subject = models.CharField(max_length=998, blank=True, default="")
    size = models.IntegerField()
    raw = models.BinaryField()
    received_at = models.DateTimeField()

    class Meta:
        indexes = (
            models.Index(fields=("workspace", "-id"), name="sandbox_by_workspace"),
            models.Index(fields=("message_id",), name="sandbox_by_message"),
        )

    def __str__(self) -> str:
        return self.subject


class InboundMessage(models.Model):
    """A message that came to our own inbound port, stored whole before it is acknowledged, read by a job after."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, related_name="inbound_messages")
    mail_from = models.CharField(max_length=320, blank=True, default="")
    recipient = models.CharField(max_length=320)
    raw = models.BinaryField()
    kind = models.CharField(max_length=12, choices=InboundKind, default=InboundKind.UNKNOWN)
    message_id = models.BigIntegerField(null=True)
    contact_id = models.BigIntegerField(null=True)
    subject = models.CharField(max_length=998, blank=True, default="")
    detail = models.JSONField(default=dict)
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=("id",), condition=models.Q(processed_at=None), name="inbound_waiting"),
            models.Index(fields=("message_id",), name="inbound_by_message"),
        )

    def __str__(self) -> str:
        return f"{self.kind} to {self.recipient}"
