"""Table of notices lately sent: the brake that keeps our forms from becoming a mail cannon."""

from django.db import models


class NoticeSent(models.Model):
    """One notice to one address, kept for as long as it counts against the next."""

    address_hash = models.BinaryField(max_length=16)
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("address_hash", "at"), name="notice_by_address"),)

    def __str__(self) -> str:
        return f"{self.at}"
