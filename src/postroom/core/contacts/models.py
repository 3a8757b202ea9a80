"""Tables of people: who they are, what they are called, what they agreed to."""

from django.db import models
from django.db.models.functions import Lower

from postroom.core.contacts.types import (
    ConsentState,
    FieldScope,
    FieldType,
    ImportStatus,
    MemberStatus,
    SubscriptionStatus,
    SuppressionReason,
    SuppressionScope,
)
from postroom.core.workspaces.models import Organization, User, Workspace
from postroom.kit.ids import uuid7


class Contact(models.Model):
    """A person of an organization. ``email`` is normalised; ``address_hash`` is its keyed hash, the suppression key."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    # Foreign keys that lead a unique rule need no index of their own, here and below.
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="contacts", db_index=False)
    email = models.CharField(max_length=254, null=True)  # noqa: DJ001 - null keeps the unique rule off the nameless
    address_hash = models.BinaryField(max_length=16, null=True)
    first_name = models.CharField(max_length=200, blank=True, default="")
    last_name = models.CharField(max_length=200, blank=True, default="")
    company = models.CharField(max_length=200, blank=True, default="")
    phone = models.CharField(max_length=40, blank=True, default="")
    language = models.CharField(max_length=20, blank=True, default="")
    timezone = models.CharField(max_length=64, blank=True, default="")
    custom = models.JSONField(default=dict)
    is_globally_opted_out = models.BooleanField(default=False)
    globally_opted_out_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("organization", "email"), name="contact_email_once"),)

    def __str__(self) -> str:
        return self.email or f"{self.first_name} {self.last_name}".strip()


class ContactWorkspace(models.Model):
    """The link that makes a person visible in a workspace."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="links")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    status = models.CharField(max_length=12, choices=SubscriptionStatus, default=SubscriptionStatus.NEUTRAL)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "contact"), name="contact_link_once"),)

    def __str__(self) -> str:
        return f"{self.contact_id} in {self.workspace_id}"


class Field(models.Model):
    """The definition of a custom field; values live in ``Contact.custom`` under ``key``, as typed JSON."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="fields")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, related_name="fields")
    scope = models.CharField(max_length=16, choices=FieldScope)
    key = models.CharField(max_length=80)
    label = models.CharField(max_length=200)
    type = models.CharField(max_length=12, choices=FieldType)
    options = models.JSONField(default=list)
    position = models.IntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "workspace", "key"), nulls_distinct=False, name="field_key_once"
            ),
        )

    def __str__(self) -> str:
        return self.key


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
    """A tag on a person."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="tag_links")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="contact_links", db_index=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tag", "contact"), name="contact_tag_once"),)

    def __str__(self) -> str:
        return f"{self.contact_id} {self.tag_id}"


class List(models.Model):
    """People who asked for one kind of mail (or were put there), each with a state of their own."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="lists")
    name = models.CharField(max_length=200)
    is_double_opt_in = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint("workspace", Lower("name"), name="list_name_once"),)

    def __str__(self) -> str:
        return self.name


class ListMember(models.Model):
    """A person's state on a list."""

    list = models.ForeignKey(List, on_delete=models.CASCADE, related_name="members", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="memberships")
    status = models.CharField(max_length=12, choices=MemberStatus)
    reason = models.CharField(max_length=200, blank=True, default="")
    properties = models.JSONField(default=dict)
    source = models.CharField(max_length=60, blank=True, default="")
    confirmed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("list", "contact"), name="list_member_once"),)

    def __str__(self) -> str:
        return f"{self.contact_id} {self.status}"


class Category(models.Model):
    """A kind of mail a person can say yes or no to."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="categories")
    slug = models.SlugField(max_length=80)
    name = models.CharField(max_length=200)
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
    """One change of a consent: who said it, through which door, when. Append-only."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="consent_changes")
    category = models.ForeignKey(Category, on_delete=models.CASCADE, null=True, related_name="+")
    list = models.ForeignKey(List, on_delete=models.CASCADE, null=True, related_name="+")
    state = models.CharField(max_length=16)
    door = models.CharField(max_length=12)
    source = models.CharField(max_length=200, blank=True, default="")
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.contact_id} {self.state}"


class Suppression(models.Model):
    """An address that must not be mailed. ``address_hash`` is the key; ``email`` is emptied at an erasure."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    scope = models.CharField(max_length=12, choices=SuppressionScope)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, null=True, related_name="+")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, related_name="+")
    address_hash = models.BinaryField(max_length=16)
    email = models.CharField(max_length=254, blank=True, default="")
    reason = models.CharField(max_length=12, choices=SuppressionReason)
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


class Segment(models.Model):
    """A question about people: ``filter`` is ``{"match": "all"|"any", "conditions": [...]}``."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="segments")
    name = models.CharField(max_length=200)
    filter = models.JSONField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint("workspace", Lower("name"), name="segment_name_once"),)

    def __str__(self) -> str:
        return self.name


class ImportRun(models.Model):
    """One import of a file: how to read it, how far it is, what came of it.

    ``processed_rows = created_rows + updated_rows + error_rows`` at every commit; ``file`` names the stored upload.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="imports")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    door = models.CharField(max_length=12)
    filename = models.CharField(max_length=255)
    file = models.CharField(max_length=255)
    file_size = models.BigIntegerField()
    encoding = models.CharField(max_length=20, blank=True, default="")
    delimiter = models.CharField(max_length=1, blank=True, default="")
    mapping = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=ImportStatus, default=ImportStatus.QUEUED)
    error = models.CharField(max_length=1000, blank=True, default="")
    total_rows = models.IntegerField(null=True)
    processed_rows = models.IntegerField(default=0)
    created_rows = models.IntegerField(default=0)
    updated_rows = models.IntegerField(default=0)
    error_rows = models.IntegerField(default=0)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.filename} {self.status}"


class ImportRowError(models.Model):
    """One row that could not become a contact; ``row_number`` counts data rows from 1."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="errors", db_index=False)
    row_number = models.IntegerField()
    column = models.CharField(max_length=200, blank=True, default="")
    reason = models.CharField(max_length=500)
    raw = models.TextField(blank=True, default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("run", "row_number"), name="import_error_once"),)

    def __str__(self) -> str:
        return f"{self.row_number}: {self.reason}"
