"""Tables of lists and of who is on them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from postroom.core.contacts.models.people import Contact
from postroom.core.contacts.types import BULK_SOURCE, MemberStatus
from postroom.core.workspaces.models import Workspace
from postroom.kit.ids import uuid7


class List(models.Model):
    """People who asked for one kind of mail (or were put there), each with a state of their own.

    A public one is offered in the preference centre. ``confirm_subject`` and ``confirm_text`` are what the author wants
    to say in the mail of a double opt-in, ``confirm_document`` all of that mail as an editor document in JSON, which
    then stands for both; ``confirm_from`` is who it is from. Empty: our words, our choice. ``variables`` name the
    properties of members that mail may speak of; ``properties`` are notes of the program that made the list.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="lists")
    name = models.CharField(max_length=200)
    description = models.CharField(max_length=500, blank=True, default="")
    is_public = models.BooleanField(default=False)
    is_double_opt_in = models.BooleanField(default=False)
    confirm_subject = models.CharField(max_length=200, blank=True, default="")
    confirm_text = models.TextField(blank=True, default="")
    confirm_from = models.CharField(max_length=600, blank=True, default="", db_default="")
    confirm_document = models.TextField(blank=True, default="", db_default="")
    emoji = models.CharField(max_length=20, blank=True, default="", db_default="")
    properties = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    variables = ArrayField(models.CharField(max_length=100), default=list, db_default=[])
    updated_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint("workspace", Lower("name"), name="list_name_once"),)

    def __str__(self) -> str:
        return self.name


class ListMember(models.Model):
    """A person's state on a list. Services keep its ends, not the database: see 0016."""

    list = models.ForeignKey(
        List, on_delete=models.CASCADE, related_name="members", db_index=False, db_constraint=False
    )
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="memberships", db_constraint=False)
    status = models.CharField(max_length=12, choices=MemberStatus)
    reason = models.CharField(max_length=200, blank=True, default="")
    properties = models.JSONField(default=dict)
    source = models.CharField(max_length=60, blank=True, default="")
    confirmed_at = models.DateTimeField(null=True)
    confirmation_sent_at = models.DateTimeField(null=True)
    confirmation_count = models.IntegerField(default=0, db_default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("list", "contact"), name="list_member_once"),)
        # Few wait at a time, on lists of whatever length.
        indexes = (models.Index(fields=("list", "id"), condition=models.Q(status="pending"), name="list_waiting"),)

    def __str__(self) -> str:
        return f"{self.contact_id} {self.status}"

    @property
    def is_taken_off(self) -> bool:
        """Whether a bulk change took them off, which its undo takes back, and nobody has said so of them since."""
        return self.status == MemberStatus.UNSUBSCRIBED and self.source.startswith(BULK_SOURCE)
