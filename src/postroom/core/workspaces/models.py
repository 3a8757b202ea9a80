"""Tables of tenancy: the organization is the wall, its workspaces are rooms."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models

from postroom.core.workspaces.types import Door, Role
from postroom.kit.ids import uuid7


class Organization(models.Model):
    """A tenant; owns people."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Workspace(models.Model):
    """A room of an organization: its campaigns, lists, senders and settings.

    ``api_rate_limit`` is how many requests a second its API keys may make together; 0 is as many as they like, null
    what the installation says.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="workspaces")
    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    timezone = models.CharField(max_length=64, default="UTC")
    currency = models.CharField(max_length=3, default="EUR")
    postal_address = models.CharField(max_length=500, blank=True, default="")
    settings = models.JSONField(default=dict)
    api_rate_limit = models.IntegerField(null=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Makes users whose e-mail is the name they sign in with."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        """Store a user; the password is hashed, None makes it unusable."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        """Store a user of the platform's own staff."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200, blank=True, default="")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.email


class Membership(models.Model):
    """A user's role in one workspace, or in the whole organization when ``workspace`` is null."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, null=True, blank=True, related_name="memberships"
    )
    role = models.CharField(max_length=10, choices=Role)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user", "organization", "workspace"), nulls_distinct=False, name="membership_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"


class ApiKey(models.Model):
    """A secret that opens API doors; only its SHA-256 is kept, and how it begins and ends for people to tell it by.
    With a ``mail_domain`` it sends for that one only.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="api_keys")
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    door = models.CharField(max_length=12, choices=Door)
    name = models.CharField(max_length=200)
    prefix = models.CharField(max_length=16)
    ending = models.CharField(max_length=4, blank=True, default="", db_default="")
    digest = models.BinaryField(max_length=32, unique=True)
    scopes = ArrayField(models.CharField(max_length=60), default=list)
    mail_domain = models.CharField(max_length=253, blank=True, default="")
    origins = ArrayField(models.CharField(max_length=253), default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}"


class ApiRate(models.Model):
    """How many API requests a workspace has made in the ``second`` (Unix time) of its last one. It is in an unlogged
    table: after a crash everybody begins anew.
    """

    workspace = models.OneToOneField(
        Workspace, on_delete=models.CASCADE, primary_key=True, related_name="+", db_constraint=False
    )
    second = models.BigIntegerField()
    used = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.used} requests"


class AuditEntry(models.Model):
    """One write: who did what to which thing, through which door, before and after. Append-only."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    workspace = models.ForeignKey(Workspace, on_delete=models.SET_NULL, null=True, related_name="+")
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    api_key = models.ForeignKey(ApiKey, on_delete=models.SET_NULL, null=True, related_name="+")
    door = models.CharField(max_length=12, choices=Door)
    act = models.CharField(max_length=80)
    object_type = models.CharField(max_length=60)
    object_id = models.BigIntegerField(null=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    at = models.DateTimeField()

    class Meta:
        indexes = (
            models.Index(fields=("organization", "-id"), name="audit_by_organization"),
            models.Index(fields=("object_type", "object_id"), name="audit_by_object"),
        )

    def __str__(self) -> str:
        return f"{self.act} {self.object_type} {self.object_id}"
