"""Tables of people's requests about their own data."""

from django.db import models

from postroom.core.contacts.models.people import Contact
from postroom.core.contacts.types import PrivacyRequestKind, PrivacyRequestStatus
from postroom.core.workspaces.models import Workspace
from postroom.kit.ids import uuid7


class PrivacyRequest(models.Model):
    """A person asked for their data or for its erasure; the link in the mail to them is good once and for a time.

    Only the hash of the link's secret is kept. The row outlives the person: it is the proof that the request was met.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="privacy_requests")
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(max_length=10, choices=PrivacyRequestKind)
    status = models.CharField(max_length=10, choices=PrivacyRequestStatus, default=PrivacyRequestStatus.SENT)
    token_hash = models.BinaryField(max_length=32, unique=True)
    door = models.CharField(max_length=12)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.status}"
