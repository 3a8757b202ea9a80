"""Who sends: domains with their keys, and sender accounts."""

from django.db import models

from postroom.core.mail.types import Channel, Provider, Signing
from postroom.core.workspaces.models import Workspace
from postroom.kit.ids import uuid7


class Domain(models.Model):
    """A sending domain. What stands in the name system for it is in its ``records``, its DKIM keys are in ``keys``.

    ``verified_at`` says since when all that mail needs is published; ``return_verified_at`` and
    ``tracking_verified_at`` since when its own return path and its own links lead here. ``verify_wanted_at`` is when
    its owner asked to have it verified; empty again once it is. ``lost_at`` is since when it is verified no more.
    ``region`` is a word that some programs give a domain, kept for them.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="domains")
    name = models.CharField(max_length=253)
    signing = models.CharField(max_length=8, choices=Signing, default=Signing.RSA)
    tracks_opens = models.BooleanField(default=True)
    tracks_clicks = models.BooleanField(default=True)
    verified_at = models.DateTimeField(null=True)
    return_verified_at = models.DateTimeField(null=True)
    tracking_verified_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    next_check_at = models.DateTimeField(null=True)
    verify_wanted_at = models.DateTimeField(null=True)
    lost_at = models.DateTimeField(null=True)
    region = models.CharField(max_length=40, blank=True, default="", db_default="")
    updated_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "name"), name="domain_once"),)
        indexes = (models.Index(fields=("next_check_at",), name="domain_by_next_check"),)

    def __str__(self) -> str:
        return self.name


class SenderAccount(models.Model):
    """A From address and the server that carries its mail. ``credentials`` is an encrypted JSON object.

    ``config`` of an SMTP account: host, port, security (none, starttls, tls), max_connections. Once it has been failing
    for ``fallback_after_s`` seconds, the ``fallback`` account's server carries its mail. ``configuration_refusals``
    counts the refusals in a row that blame our own set-up. With a ``carrier`` it has no server of its own: that
    account's carries its mail. An account that ``is_relay`` lends its server to every verified domain of the workspace.
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
    is_limited = models.BooleanField(default=False, db_default=False)
    is_relay = models.BooleanField(default=False, db_default=False)
    carrier = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="carried")
    fallback = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    fallback_after_s = models.IntegerField(default=300)
    failing_since = models.DateTimeField(null=True)
    is_active = models.BooleanField(default=True)
    last_used_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=1000, blank=True, default="")
    failure_count = models.IntegerField(default=0)
    configuration_refusals = models.IntegerField(default=0, db_default=0)
    retry_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "name"), name="sender_name_once"),)

    def __str__(self) -> str:
        return self.name


class SenderDay(models.Model):
    """How much a sender account let go on a day of its workspace; only accounts that something limits have rows."""

    sender = models.ForeignKey(SenderAccount, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    used = models.IntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("sender", "day"), name="sender_day_once"),)

    def __str__(self) -> str:
        return f"{self.sender_id} {self.day}: {self.used}"
