"""People who sign in, and where they belong."""

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from postroom.core.workspaces.errors import AlreadyMember, BadUser, EmailTaken, ForeignWorkspace, WeakPassword
from postroom.core.workspaces.models import Membership, Organization, User, Workspace
from postroom.core.workspaces.services.audit import record_audit, record_organization_audit
from postroom.core.workspaces.types import Actor, AuditRecord, Role


@transaction.atomic
def create_user(*, email: str, password: str | None, name: str, now: datetime) -> User:
    """Store a person who signs in with ``email``; without a password they cannot until one is set.

    Raises BadUser, WeakPassword or EmailTaken. ``add_member`` writes the audit row: trails belong to organizations.
    """
    _check_user(email=email.strip(), password=password, name=name)
    try:
        with transaction.atomic():
            return User.objects.create_user(email, password, name=name.strip(), created_at=now)
    except IntegrityError as error:
        raise EmailTaken(f"Somebody signs in with {email.strip()} already.") from error


@transaction.atomic
def add_member(
    *,
    user: User,
    organization: Organization,
    workspace: Workspace | None = None,
    role: Role,
    actor: Actor,
    now: datetime,
) -> Membership:
    """Let ``user`` into one workspace, or give them a role in the whole organization when it is None.

    Raises ForeignWorkspace when the workspace is not of this organization, AlreadyMember when they are in already.
    """
    if workspace is not None and workspace.organization_id != organization.pk:
        raise ForeignWorkspace(f"The workspace {workspace.name} does not belong to {organization.name}.")
    try:
        with transaction.atomic():
            membership = Membership.objects.create(
                user=user, organization=organization, workspace=workspace, role=role, created_at=now
            )
    except IntegrityError as error:
        raise AlreadyMember(f"{user.email} is a member there already.") from error
    record = AuditRecord("member.added", "user", user.pk, after={"role": role.value})
    if workspace is None:
        record_organization_audit(organization=organization, actor=actor, record=record, now=now)
    else:
        record_audit(workspace=workspace, actor=actor, record=record, now=now)
    return membership


def _check_user(*, email: str, password: str | None, name: str) -> None:
    try:
        validate_email(email)
    except ValidationError as error:
        raise BadUser(f"{email!r} is not an e-mail address.") from error
    if password is None:
        return
    try:
        validate_password(password, User(email=email, name=name))
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages)) from error
