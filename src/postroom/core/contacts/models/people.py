"""Tables of people and of what the workspace calls them."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Lower

from postroom.core.contacts.types import SubscriptionStatus
from postroom.core.workspaces.models import Organization, Workspace
from postroom.kit.ids import uuid7


class Contact(models.Model):
    """A person of an organization. ``email`` is normalised; ``address_hash`` is its keyed hash, the suppression key.

    ``search`` holds the folded words of address, names and company (``rules.search_words``), for search as you type.
    Services keep the organization in place, not the database: see 0016.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    # Foreign keys that lead a unique rule need no index of their own, here and below.
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="contacts", db_index=False, db_constraint=False
    )
    email = models.CharField(max_length=254, null=True)  # noqa: DJ001 - null keeps the unique rule off the nameless
    address_hash = models.BinaryField(max_length=16, null=True)
    first_name = models.CharField(max_length=200, blank=True, default="")
    last_name = models.CharField(max_length=200, blank=True, default="")
    company = models.CharField(max_length=200, blank=True, default="")
    phone = models.CharField(max_length=40, blank=True, default="")
    language = models.CharField(max_length=20, blank=True, default="")
    timezone = models.CharField(max_length=64, blank=True, default="")
    custom = models.JSONField(default=dict)
    search = SearchVectorField(null=True)
    is_globally_opted_out = models.BooleanField(default=False)
    globally_opted_out_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("organization", "email"), name="contact_email_once"),)
        # Kilobytes of new words that wait to be sorted in: a search reads them in passing, an import is spared it.
        indexes = (GinIndex(fields=("search",), name="contact_search", gin_pending_list_limit=16 * 1024),)

    def __str__(self) -> str:
        return self.email or f"{self.first_name} {self.last_name}".strip()


class ContactWorkspace(models.Model):
    """The link that makes a person visible in a workspace. Services keep its ends, not the database: see 0016."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="links", db_constraint=False)
    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    status = models.CharField(max_length=12, choices=SubscriptionStatus, default=SubscriptionStatus.NEUTRAL)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "contact"), name="contact_link_once"),)

    def __str__(self) -> str:
        return f"{self.contact_id} in {self.workspace_id}"


class Tag(models.Model):
    """A word on a person, of one workspace; unique there ignoring case."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=100)
    colour = models.CharField(max_length=20, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint("workspace", Lower("name"), name="tag_name_once"),)

    def __str__(self) -> str:
        return self.name


class ContactTag(models.Model):
    """A tag on a person. Services keep its ends, not the database: see 0016."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="tag_links", db_constraint=False)
    tag = models.ForeignKey(
        Tag, on_delete=models.CASCADE, related_name="contact_links", db_index=False, db_constraint=False
    )

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tag", "contact"), name="contact_tag_once"),)

    def __str__(self) -> str:
        return f"{self.contact_id} {self.tag_id}"
