"""What providers report about mail they carried: kept as it came, then read."""

from django.db import models

from postroom.core.mail.models.accounts import SenderAccount
from postroom.kit.ids import uuid7


class ProviderEvent(models.Model):
    """One delivery of a provider's webhook, stored before it is answered. ``key`` names the delivery and ``digest`` its
    octets: a delivery made again is not stored again. Read, its ``body`` is emptied and the row kept for some days, to
    be recognized; a body that cannot be read is ``parked_at`` with the ``error``, for a person to look at and replay.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    sender = models.ForeignKey(SenderAccount, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=200)
    digest = models.BinaryField(max_length=32)
    is_inbound = models.BooleanField(default=False)
    content_type = models.CharField(max_length=200, blank=True, default="")
    body = models.BinaryField()
    attempts = models.IntegerField(default=0, db_default=0)
    error = models.CharField(max_length=1000, blank=True, default="", db_default="")
    received_at = models.DateTimeField(db_index=True)
    processed_at = models.DateTimeField(null=True)
    parked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("sender", "key"), name="provider_event_once"),)
        indexes = (
            models.Index(
                fields=("id",),
                condition=models.Q(processed_at=None, parked_at=None),
                name="provider_event_waiting",
            ),
            models.Index(
                fields=("sender", "-id"), condition=models.Q(parked_at__isnull=False), name="provider_event_parked"
            ),
        )

    def __str__(self) -> str:
        return f"event of {self.sender_id}"


class ProviderContact(models.Model):
    """When an account's provider was last heard of, up to when its events were fetched from its own records, and when
    to fetch next.
    """

    sender = models.OneToOneField(SenderAccount, on_delete=models.CASCADE, related_name="+")
    last_event_at = models.DateTimeField(null=True)
    fetch_after = models.DateTimeField(null=True, db_index=True)
    fetched_until = models.DateTimeField(null=True)
    fetch_error = models.CharField(max_length=1000, blank=True, default="")

    def __str__(self) -> str:
        return f"contact of {self.sender_id}"
