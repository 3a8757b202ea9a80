"""The keys a domain signs with, one row a key, so that a new one can take over from an old one."""

from datetime import datetime

from django.db import models

from postroom.core.mail.models.accounts import Domain
from postroom.core.mail.rules.checking import KEPT_AFTER_RETIREMENT
from postroom.core.mail.types import KeyAlgorithm, KeyState
from postroom.kit.ids import uuid7


class DkimKey(models.Model):
    """A DKIM key; ``private`` is encrypted PEM, and empty once the key is retired: nothing signs with it again.

    ``seen_at`` is when its record was first seen to be right. A retired key's record stays published for a while, for
    mail that is still on its way.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="keys")
    selector = models.CharField(max_length=63)
    algorithm = models.CharField(max_length=8, choices=KeyAlgorithm)
    state = models.CharField(max_length=8, choices=KeyState)
    private = models.TextField(blank=True, default="")
    public = models.TextField()
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)
    activated_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("domain", "selector"), name="dkim_selector_once"),)

    def __str__(self) -> str:
        return f"{self.selector} {self.state}"

    @property
    def kept_until(self) -> datetime | None:
        """Until when a retired key's record stays published."""
        return self.retired_at + KEPT_AFTER_RETIREMENT if self.retired_at else None
