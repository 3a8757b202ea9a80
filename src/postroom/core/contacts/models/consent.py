"""Tables of what people agreed to, and of addresses that must not be mailed."""

from django.db import models

from postroom.core.contacts.models.lists import List
from postroom.core.contacts.models.people import Contact
from postroom.core.contacts.types import ConsentState, SuppressionReason, SuppressionScope
from postroom.core.workspaces.models import Organization, User, Workspace
from postroom.kit.ids import uuid7


class Category(models.Model):
    """A kind of mail a person can say yes or no to."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="categories")
    slug = models.SlugField(max_length=80)
    name = models.CharField(max_length=200)
    description = models.CharField(max_length=500, blank=True, default="")
    position = models.IntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "slug"), name="category_slug_once"),)

    def __str__(self) -> str:
        return self.name


class Consent(models.Model):
    """A person's present word on a category."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="consents")
    category = models.ForeignKey(Category, on_delete=models.CASCADE, related_name="consents", db_index=False)
    state = models.CharField(max_length=10, choices=ConsentState)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("category", "contact"), name="consent_once"),)

    def __str__(self) -> str:
        return f"{self.contact_id} {self.state}"


class ConsentChange(models.Model):
    """One change of a person's will: who said it, through which door, when. Append-only.

    On a category, on a list, or (neither) on a workspace's mail; ``state`` ends in ``_all`` when it is on everything.
    ``proof`` is what shows that it happened: the form, the mail the link stood in, the shortened address of the reader.
    """

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="consent_changes")
    category = models.ForeignKey(Category, on_delete=models.CASCADE, null=True, related_name="+")
    list = models.ForeignKey(List, on_delete=models.CASCADE, null=True, related_name="+")
    state = models.CharField(max_length=16)
    door = models.CharField(max_length=12)
    source = models.CharField(max_length=200, blank=True, default="")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, related_name="+")
    proof = models.JSONField(default=dict)
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.contact_id} {self.state}"


class Suppression(models.Model):
    """An address that must not be mailed. ``address_hash`` is the key; ``email`` is emptied at an erasure.

    The reason ``unsubscribed`` is the person's own opt-out and stops only mail that needs their will; ``is_opted_out``
    keeps it under a stronger reason, so that lifting that one does not bring back what they do not want.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    scope = models.CharField(max_length=12, choices=SuppressionScope)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, null=True, related_name="+")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, related_name="+")
    address_hash = models.BinaryField(max_length=16)
    email = models.CharField(max_length=254, blank=True, default="")
    reason = models.CharField(max_length=12, choices=SuppressionReason)
    is_opted_out = models.BooleanField(default=False, db_default=False)
    detail = models.CharField(max_length=1000, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("address_hash", "scope", "organization", "workspace"),
                nulls_distinct=False,
                name="suppression_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.scope} {self.reason}"
