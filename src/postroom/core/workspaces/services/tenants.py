"""Organizations and their workspaces."""

from datetime import datetime

from django.db import IntegrityError, transaction

from postroom.core.workspaces.errors import SlugTaken
from postroom.core.workspaces.models import Organization, Workspace
from postroom.core.workspaces.rules import check_slug, check_timezone
from postroom.core.workspaces.services.audit import record_audit, record_organization_audit
from postroom.core.workspaces.types import SYSTEM, Actor, AuditRecord


@transaction.atomic
def create_organization(*, name: str, now: datetime) -> Organization:
    """Make a tenant."""
    organization = Organization.objects.create(name=name.strip(), created_at=now)
    record = AuditRecord("organization.created", "organization", organization.pk, after={"name": organization.name})
    record_organization_audit(organization=organization, actor=SYSTEM, record=record, now=now)
    return organization


@transaction.atomic
def create_workspace(
    *, organization: Organization, name: str, slug: str, actor: Actor, now: datetime, timezone: str = "UTC"
) -> Workspace:
    """Make a room of an organization. Raises BadSlug, BadTimezone, and SlugTaken: addresses are unique everywhere."""
    try:
        with transaction.atomic():
            workspace = Workspace.objects.create(
                organization=organization,
                name=name.strip(),
                slug=check_slug(slug),
                timezone=check_timezone(timezone),
                created_at=now,
            )
    except IntegrityError as error:
        raise SlugTaken(f"Another workspace has the address {slug!r} already.", slug=slug) from error
    record = AuditRecord("workspace.created", "workspace", workspace.pk, after={"name": workspace.name, "slug": slug})
    record_audit(workspace=workspace, actor=actor, record=record, now=now)
    return workspace
