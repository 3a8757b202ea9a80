"""Tables of what passed between a person and the team, and of people who turned out to be one."""

from django.db import models

from postroom.core.contacts.models.people import Contact
from postroom.core.contacts.types import InteractionType
from postroom.core.workspaces.models import Organization, User, Workspace
from postroom.kit.ids import uuid7


class Interaction(models.Model):
    """A call, a meeting, a note …: written down by the team or brought by a connected system."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="interactions", db_index=False)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    type = models.CharField(max_length=20, choices=InteractionType)
    subject = models.CharField(max_length=500, blank=True, default="")
    body = models.TextField(blank=True, default="")
    metadata = models.JSONField(default=dict)
    is_team_visible = models.BooleanField(default=True)
    source_id = models.CharField(max_length=255, null=True)  # noqa: DJ001 - null keeps the unique rule off those by hand
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "source_id"), name="interaction_source_once"),)
        indexes = (models.Index(fields=("contact", "-occurred_at"), name="interaction_by_contact"),)

    def __str__(self) -> str:
        return f"{self.type} {self.occurred_at}"


class ContactAlias(models.Model):
    """The former self of a person: what was merged into ``contact``, with its record as it stood.

    Old keys live on in links of mails that were sent; whoever looks one up comes to the person it became. ``email`` is
    the address that was given up, empty when none was: it still means this person.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="aliases")
    old_id = models.BigIntegerField(unique=True)
    old_uid = models.UUIDField(unique=True)
    email = models.CharField(max_length=254, blank=True, default="")
    snapshot = models.JSONField(default=dict)
    merged_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    merged_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("organization", "email"), name="alias_by_email"),)

    def __str__(self) -> str:
        return f"{self.old_id} is {self.contact_id}"
