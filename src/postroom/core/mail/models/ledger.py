"""The ledger: one row for each message, and what was promised to the programs that asked for it."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from postroom.core.contacts.models import Category, Contact
from postroom.core.mail.models.accounts import SenderAccount
from postroom.core.mail.models.batches import Batch
from postroom.core.mail.models.contents import Content
from postroom.core.mail.types import MessageClass, MessageStatus
from postroom.core.workspaces.models import Workspace
from postroom.kit.ids import uuid7


class Message(models.Model):
    """The ledger: one row per message and recipient set.

    Rows of a batch are appended when their chunk ends (status already final or deferred); rows of single messages are
    appended ``queued`` at acceptance. ``id`` is the number in every token and in the Message-ID, fixed at creation.
    The fact columns only ever go from null to a value, or up. ``priority`` 0 goes before 1; ``tries`` counts hand-overs
    that got an answer, ``attempt`` every claim (it is the fence); ``is_resent`` marks the one repeat after doubt.
    With ``safe_until`` it is in doubt and waits to be handed over again: its account's provider knows it until then.
    Without a ``content`` its words are still in its ``Letter``. ``shown`` has the texts of its To and Cc fields where
    they are more than the addresses (``{"to": ["Ann <ann@example.net>"]}``). ``scheduled_at`` is when its sender wanted
    it to go, ``api_key_id`` the key it was accepted with.

    The foreign keys have no constraint in the database: every row is copied from rows that are never deleted while a
    message names them (PROTECT), and six look-ups per appended row would cost a campaign much of its rate.
    """

    id = models.BigIntegerField(primary_key=True)
    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="messages", db_constraint=False, db_index=False
    )
    batch = models.ForeignKey(
        Batch, on_delete=models.PROTECT, null=True, related_name="messages", db_constraint=False, db_index=False
    )
    sender = models.ForeignKey(
        SenderAccount, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    content = models.ForeignKey(
        Content, on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.SET_NULL, null=True, related_name="messages", db_constraint=False, db_index=False
    )
    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    list_ids = models.JSONField(default=list)
    message_class = models.CharField(max_length=14, choices=MessageClass)
    is_test = models.BooleanField(default=False)
    from_address = models.CharField(max_length=600, blank=True, default="")
    to = models.JSONField(default=list)
    cc = models.JSONField(default=list)
    bcc = models.JSONField(default=list)
    reply_to = models.JSONField(default=list)
    headers = models.JSONField(default=dict)
    slots = models.JSONField(default=dict)
    message_id_header = models.CharField(max_length=255)
    idempotency_key = models.CharField(max_length=256, blank=True, default="")
    status = models.CharField(max_length=10, choices=MessageStatus, default=MessageStatus.QUEUED)
    priority = models.SmallIntegerField(default=1)
    owner = models.CharField(max_length=64, blank=True, default="")
    attempt = models.IntegerField(default=0)
    tries = models.IntegerField(default=0)
    is_resent = models.BooleanField(default=False)
    next_attempt_at = models.DateTimeField(null=True)
    first_attempt_at = models.DateTimeField(null=True)
    safe_until = models.DateTimeField(null=True)
    destination = models.CharField(max_length=253, blank=True, default="", db_default="")
    attachments = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    shown = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    api_key_id = models.BigIntegerField(null=True)
    scheduled_at = models.DateTimeField(null=True)
    reply_code = models.IntegerField(default=0)
    reply_text = models.CharField(max_length=1000, blank=True, default="")
    provider_id = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    bounced_at = models.DateTimeField(null=True)
    bounce_code = models.CharField(max_length=20, blank=True, default="")
    complained_at = models.DateTimeField(null=True)
    unsubscribed_at = models.DateTimeField(null=True)
    replied_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    machine_opened_at = models.DateTimeField(null=True)
    clicked_at = models.DateTimeField(null=True)
    scanner_clicked_at = models.DateTimeField(null=True)
    open_count = models.IntegerField(default=0)
    machine_open_count = models.IntegerField(default=0)
    click_count = models.IntegerField(default=0)
    scanner_click_count = models.IntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("workspace", "idempotency_key"),
                condition=~models.Q(idempotency_key=""),
                name="message_idempotent",
            ),
        )
        indexes = (
            models.Index(
                fields=("sender", "priority", "destination", "next_attempt_at", "id"),
                condition=models.Q(status__in=("queued", "deferred")),
                name="message_waiting",
            ),
            models.Index(fields=("owner",), condition=models.Q(status__in=("claimed", "wire")), name="message_claimed"),
            models.Index(fields=("batch", "id"), name="message_by_batch"),
            models.Index(fields=("contact", "-created_at"), name="message_by_contact"),
            models.Index(fields=("contact",), condition=models.Q(bounced_at__isnull=False), name="message_bounced"),
            models.Index(fields=("workspace", "id"), name="message_by_workspace"),
            models.Index(fields=("sender", "id"), name="message_by_sender"),
            BrinIndex(fields=("created_at",), name="message_by_creation", pages_per_range=32),
            models.Index(
                fields=("workspace", "status", "-id"), condition=~models.Q(status="sent"), name="message_not_sent"
            ),
        )

    def __str__(self) -> str:
        return f"message {self.pk} {self.status}"


class Letter(models.Model):
    """The words of a single message as a program handed them over, until a sender freezes them into a content.

    With a ``template_id`` the template's subject and body stand for ``subject`` and ``html``. No constraint ties it to
    its message: it is written and deleted in the transaction that writes or freezes that.
    """

    message_id = models.BigIntegerField(primary_key=True)
    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    subject = models.TextField(blank=True, default="")
    html = models.TextField(blank=True, default="")
    text = models.TextField(blank=True, default="")
    template_id = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"letter of message {self.message_id}"


class Acceptance(models.Model):
    """What a caller's idempotency key was used for, kept for a day: the digest of the request, and the messages it was
    answered with. ``key`` is the SHA-256 of the caller's.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)
    message_uids = ArrayField(models.UUIDField())
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "key"), name="acceptance_once"),)

    def __str__(self) -> str:
        return f"{len(self.message_uids)} messages"
