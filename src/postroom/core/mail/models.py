"""Tables of mail: who sends, what is sent, the ledger of every message, and what became of it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from postroom.core.contacts.models import Category, Contact
from postroom.core.mail.types import (
    BatchStatus,
    BodyFormat,
    Channel,
    ChunkStatus,
    EventType,
    InboundKind,
    MessageClass,
    MessageStatus,
    Provider,
    Signing,
)
from postroom.core.workspaces.models import Workspace
from postroom.kit.ids import uuid7


class Domain(models.Model):
    """A sending domain with its DKIM keys; the private halves are encrypted PEM."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="domains")
    name = models.CharField(max_length=253)
    selector = models.CharField(max_length=63, default="postroom")
    signing = models.CharField(max_length=8, choices=Signing, default=Signing.RSA)
    rsa_private = models.TextField()
    rsa_public = models.TextField()
    ed25519_private = models.TextField()
    ed25519_public = models.TextField()
    tracks_opens = models.BooleanField(default=True)
    tracks_clicks = models.BooleanField(default=True)
    verification = models.JSONField(default=dict)
    verified_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "name"), name="domain_once"),)

    def __str__(self) -> str:
        return self.name


class SenderAccount(models.Model):
    """A From address and the server that carries its mail. ``credentials`` is an encrypted JSON object.

    ``config`` of an SMTP account: host, port, security (none, starttls, tls), max_connections.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="senders")
    domain = models.ForeignKey(Domain, on_delete=models.PROTECT, null=True, related_name="senders")
    name = models.CharField(max_length=200)
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.EMAIL)
    provider = models.CharField(max_length=20, choices=Provider)
    from_name = models.CharField(max_length=200, blank=True, default="")
    from_email = models.CharField(max_length=254)
    reply_to = models.CharField(max_length=254, blank=True, default="")
    config = models.JSONField(default=dict)
    credentials = models.TextField(blank=True, default="")
    daily_limit = models.IntegerField(null=True)
    is_active = models.BooleanField(default=True)
    last_used_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=1000, blank=True, default="")
    failure_count = models.IntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "name"), name="sender_name_once"),)

    def __str__(self) -> str:
        return self.name


class SenderDay(models.Model):
    """How much of a sender account's daily limit is used up on a day (UTC); only accounts with a limit have rows."""

    sender = models.ForeignKey(SenderAccount, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    used = models.IntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("sender", "day"), name="sender_day_once"),)

    def __str__(self) -> str:
        return f"{self.sender_id} {self.day}: {self.used}"


class Template(models.Model):
    """A reusable composition."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="templates")
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=20, default="en")
    subject = models.CharField(max_length=998)
    body_format = models.CharField(max_length=8, choices=BodyFormat, default=BodyFormat.HTML)
    body = models.TextField()
    text = models.TextField(blank=True, default="")
    version = models.IntegerField(default=1)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "name", "language"), name="template_once"),)

    def __str__(self) -> str:
        return self.name


class Content(models.Model):
    """A frozen composition: HTML with its links replaced by numbered slots, text, subject. Never edited.

    ``digest`` is the SHA-256 of all of it, so an equal composition is stored once per workspace.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="contents")
    digest = models.BinaryField(max_length=32)
    subject = models.TextField()
    html = models.TextField()
    text = models.TextField()
    tracks_opens = models.BooleanField()
    tracks_clicks = models.BooleanField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "digest"), name="content_once"),)

    def __str__(self) -> str:
        return f"content {self.pk}"


class TrackedLink(models.Model):
    """Where link number ``index`` of a content leads; a click token names (message, content, index) and is signed."""

    content = models.ForeignKey(Content, on_delete=models.CASCADE, related_name="links")
    index = models.IntegerField()
    url = models.TextField()
    label = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("content", "index"), name="tracked_link_once"),)

    def __str__(self) -> str:
        return self.url


class Batch(models.Model):
    """A bulk hand-over: one content to a frozen audience, sent in chunks.

    ``total`` counts accepted recipients, ``fenced`` maps each refusal reason of the may-we-mail rule to its count.
    ``error`` says why a batch was paused by the sender process itself.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="batches")
    sender = models.ForeignKey(SenderAccount, on_delete=models.PROTECT, related_name="+")
    content = models.ForeignKey(Content, on_delete=models.PROTECT, related_name="+")
    category = models.ForeignKey(Category, on_delete=models.PROTECT, null=True, related_name="+")
    list_ids = models.JSONField(default=list)
    message_class = models.CharField(max_length=14, choices=MessageClass)
    status = models.CharField(max_length=10, choices=BatchStatus, default=BatchStatus.FREEZING)
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
    """Recipients ``number`` of a batch, claimed as one. ``owner`` and ``attempt`` fence every later write."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="chunks")
    number = models.IntegerField()
    size = models.IntegerField()
    status = models.CharField(max_length=10, choices=ChunkStatus, default=ChunkStatus.QUEUED)
    owner = models.CharField(max_length=64, blank=True, default="")
    attempt = models.IntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("batch", "number"), name="chunk_once"),)
        indexes = (
            models.Index(fields=("batch", "number"), condition=models.Q(status="queued"), name="chunk_waiting"),
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


class Message(models.Model):
    """The ledger: one row per message and recipient set.

    Rows of a batch are appended when their chunk ends (status already final or deferred); rows of single messages are
    appended ``queued`` at acceptance. ``id`` is the number in every token and in the Message-ID, fixed at creation.
    The fact columns only ever go from null to a value, or up. ``priority`` 0 goes before 1; ``tries`` counts hand-overs
    that got an answer, ``attempt`` every claim (it is the fence); ``is_resent`` marks the one repeat after doubt.

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
        Content, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
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
                fields=("sender", "priority", "next_attempt_at", "id"),
                condition=models.Q(status__in=("queued", "deferred")),
                name="message_waiting",
            ),
            models.Index(fields=("owner",), condition=models.Q(status__in=("claimed", "wire")), name="message_claimed"),
            models.Index(fields=("batch", "id"), name="message_by_batch"),
            models.Index(fields=("contact", "-created_at"), name="message_by_contact"),
            models.Index(fields=("workspace", "-id"), name="message_by_workspace"),
        )

    def __str__(self) -> str:
        return f"message {self.pk} {self.status}"


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
