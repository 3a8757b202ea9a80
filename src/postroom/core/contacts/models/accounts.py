"""Tables of accounts: the companies people belong to."""

from django.db import models
from django.db.models.functions import Lower

from postroom.core.contacts.models.people import Contact
from postroom.core.workspaces.models import Workspace
from postroom.kit.ids import uuid7


class Account(models.Model):
    """A company or shop of a workspace, with the people who belong to it."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="accounts")
    name = models.CharField(max_length=200)
    domain = models.CharField(max_length=253, blank=True, default="")
    plan = models.CharField(max_length=80, blank=True, default="")
    notes = models.TextField(blank=True, default="")
    is_active = models.BooleanField(default=True)
    last_login_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint("workspace", Lower("name"), name="account_name_once"),)
        indexes = (models.Index(fields=("workspace", "domain"), name="account_by_domain"),)

    def __str__(self) -> str:
        return self.name


class AccountContact(models.Model):
    """A person's place in an account."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="contact_links", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="account_links")
    role = models.CharField(max_length=80, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("account", "contact"), name="account_contact_once"),)

    def __str__(self) -> str:
        return f"{self.contact_id} of {self.account_id}"
