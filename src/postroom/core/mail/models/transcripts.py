"""What was said on the wire, and which mailbox providers asked for a rest."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from postroom.core.mail.models.accounts import SenderAccount
from postroom.core.workspaces.models import Workspace


class Transcript(models.Model):
    """The hand-overs of one claim, ``packed`` by ``rules.transcripts``; kept for 30 days.

    The one of a chunk is found by the chunk's batch and number, another by the messages it is about.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    batch_id = models.BigIntegerField(null=True)
    chunk_number = models.IntegerField(null=True)
    message_ids = ArrayField(models.BigIntegerField(), default=list)
    packed = models.BinaryField()
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = (
            models.Index(
                fields=("batch_id", "chunk_number"),
                condition=models.Q(batch_id__isnull=False),
                name="transcript_by_chunk",
            ),
            GinIndex(fields=("message_ids",), condition=models.Q(batch_id__isnull=True), name="transcript_by_message"),
        )

    def __str__(self) -> str:
        return f"transcript {self.pk}"


class DestinationRest(models.Model):
    """A destination that refused most of what an account brought, for a time: its campaigns' chunks wait ``until``.

    ``strikes`` counts the rests in a row, each twice as long as the one before; ``reason`` is what the server said.
    """

    sender = models.ForeignKey(SenderAccount, on_delete=models.CASCADE, related_name="rests", db_index=False)
    destination = models.CharField(max_length=253)
    until = models.DateTimeField()
    strikes = models.IntegerField(default=1)
    reason = models.CharField(max_length=1000, blank=True, default="")
    noted_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("sender", "destination"), name="rest_once"),)

    def __str__(self) -> str:
        return f"{self.sender_id} {self.destination} until {self.until:%H:%M}"
