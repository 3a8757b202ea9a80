"""Bulk hand-overs: a content, its frozen recipients, and the chunks they are claimed in."""

from django.db import models

from postroom.core.contacts.models import Category
from postroom.core.mail.models.accounts import SenderAccount
from postroom.core.mail.models.contents import Content
from postroom.core.mail.types import BatchStatus, ChunkStatus, Destination, MessageClass
from postroom.core.workspaces.models import Workspace
from postroom.kit.ids import uuid7


class Batch(models.Model):
    """A bulk hand-over: one content to a frozen audience, sent in chunks.

    ``total`` counts accepted recipients, ``fenced`` maps each refusal reason of the may-we-mail rule to its count.
    ``error`` says why a batch was paused by the sender process itself. ``from_address`` (empty: the account's),
    ``reply_to``, ``cc`` and ``bcc`` are those of every message.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="batches")
    sender = models.ForeignKey(SenderAccount, on_delete=models.PROTECT, related_name="+")
    content = models.ForeignKey(Content, on_delete=models.PROTECT, related_name="+")
    category = models.ForeignKey(Category, on_delete=models.PROTECT, null=True, related_name="+")
    list_ids = models.JSONField(default=list)
    message_class = models.CharField(max_length=14, choices=MessageClass)
    status = models.CharField(max_length=10, choices=BatchStatus, default=BatchStatus.FREEZING)
    from_address = models.CharField(max_length=600, blank=True, default="", db_default="")
    reply_to = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    cc = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    bcc = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    total = models.IntegerField(default=0)
    fenced = models.JSONField(default=dict)
    error = models.CharField(max_length=1000, blank=True, default="")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("sender", "id"), condition=models.Q(status="sending"), name="batch_sending"),)

    def __str__(self) -> str:
        return f"batch {self.pk} {self.status}"


class Chunk(models.Model):
    """Recipients ``number`` of a batch, claimed as one. ``owner`` and ``attempt`` fence every later write.

    All its recipients have one ``destination`` (a mailbox provider, or a domain with a limit of its own), one content
    (the batch's, unless ``content`` says otherwise) and one time to begin; without ``ready_at`` it is held. ``zone`` is
    the time zone they share where a window goes by the recipient's clock, else empty.
    """

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="chunks")
    number = models.IntegerField()
    size = models.IntegerField()
    status = models.CharField(max_length=10, choices=ChunkStatus, default=ChunkStatus.QUEUED)
    owner = models.CharField(max_length=64, blank=True, default="")
    attempt = models.IntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)
    destination = models.CharField(max_length=253, default=Destination.OTHER, db_default=Destination.OTHER)
    content = models.ForeignKey(Content, on_delete=models.PROTECT, null=True, related_name="+")
    ready_at = models.DateTimeField(null=True)
    zone = models.CharField(max_length=64, blank=True, default="", db_default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("batch", "number"), name="chunk_once"),)
        indexes = (
            models.Index(
                fields=("batch", "ready_at", "number"), condition=models.Q(status="queued"), name="chunk_waiting"
            ),
            models.Index(fields=("owner",), condition=models.Q(status="claimed"), name="chunk_by_owner"),
        )

    def __str__(self) -> str:
        return f"chunk {self.batch_id}/{self.number} {self.status}"


class Recipient(models.Model):
    """One frozen recipient of a batch. ``id`` comes from the ledger's sequence and becomes the message's id.

    ``fence`` is empty for an accepted recipient, else the reason the may-we-mail rule refused at acceptance
    (then ``chunk_number`` is null and no message follows).
    """

    id = models.BigIntegerField(primary_key=True)
    batch = models.ForeignKey(
        Batch, on_delete=models.CASCADE, related_name="recipients", db_constraint=False, db_index=False
    )
    chunk_number = models.IntegerField(null=True)
    contact_id = models.BigIntegerField()
    email = models.CharField(max_length=254)
    fence = models.CharField(max_length=30, blank=True, default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("batch", "contact_id"), name="recipient_once"),)
        indexes = (models.Index(fields=("batch", "chunk_number"), name="recipient_by_chunk"),)

    def __str__(self) -> str:
        return self.email
