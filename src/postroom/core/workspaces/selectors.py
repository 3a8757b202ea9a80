"""Reads of tenancy: which workspaces a person sees, and what they may do there."""

from collections.abc import Collection
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q, QuerySet

from postroom.core.workspaces.errors import KeyNotFound, RoleTooLow, UserNotFound, WorkspaceNotFound
from postroom.core.workspaces.models import ApiKey, AuditEntry, Membership, User, Workspace
from postroom.core.workspaces.rules import combine_roles, highest_role
from postroom.core.workspaces.types import Door, Role
from postroom.kit.paging import Page, PageRequest, fetch_page


def find_workspace(*, slug: str) -> Workspace | None:
    """Return the workspace at ``slug``, whoever asks; for commands and the open internet."""
    return Workspace.objects.select_related("organization").filter(slug=slug).first()


def door_address(*, door: Door) -> str:
    """Return what a client of a door's dialect is given as the address of its server: a host name of the door's own,
    or the prefix it lives below.
    """
    host = settings.DOOR_HOSTS.get(door.value)
    return f"{urlsplit(settings.PUBLIC_URL).scheme}://{host}" if host else f"{settings.PUBLIC_URL}/{door.value}"


def find_only_workspace() -> Workspace | None:
    """Return the workspace of an installation that has but one; for the open internet."""
    found = list(Workspace.objects.order_by("pk")[:2])
    return found[0] if len(found) == 1 else None


def get_workspace(*, user: User, slug: str) -> Workspace:
    """Return the workspace at ``slug``. Raises WorkspaceNotFound when there is none or ``user`` is a stranger to it."""
    workspace = find_workspace(slug=slug)
    if workspace is None or effective_role(user=user, workspace=workspace) is None:
        raise WorkspaceNotFound(f"There is no workspace {slug!r}.", slug=slug)
    return workspace


def get_workspace_by_uid(*, user: User, uid: UUID) -> Workspace:
    """Return the workspace of this uid. Raises WorkspaceNotFound when there is none or ``user`` is a stranger to it."""
    workspace = Workspace.objects.select_related("organization").filter(uid=uid).first()
    if workspace is None or effective_role(user=user, workspace=workspace) is None:
        raise WorkspaceNotFound(uid=uid)
    return workspace


def list_workspaces(*, user: User) -> list[Workspace]:
    """Return every workspace that ``user`` may enter, by name."""
    return list(_visible_workspaces(user).select_related("organization").order_by("name", "id"))


def get_user(*, email: str) -> User:
    """Return who signs in with ``email``; for commands. Raises UserNotFound."""
    user = User.objects.filter(email=email.strip().lower()).first()
    if user is None:
        raise UserNotFound(f"Nobody signs in with {email.strip()}.", email=email)
    return user


def effective_role(*, user: User, workspace: Workspace) -> Role | None:
    """Return what ``user`` may do in ``workspace``: platform staff everything, strangers and the inactive nothing."""
    if not user.is_active:
        return None
    if user.is_staff:
        return Role.ADMIN
    memberships = Membership.objects.filter(user=user, organization_id=workspace.organization_id).filter(
        Q(workspace=None) | Q(workspace=workspace)
    )
    roles = [(room_id, Role(role)) for room_id, role in memberships.values_list("workspace_id", "role")]
    return combine_roles(
        in_organization=highest_role(role for room_id, role in roles if room_id is None),
        in_workspace=highest_role(role for room_id, role in roles if room_id is not None),
    )


def require_role(*, user: User, workspace: Workspace, role: Role) -> Role:
    """Return the person's role. Raises RoleTooLow when it is below ``role``."""
    actual = effective_role(user=user, workspace=workspace)
    if actual is None or actual.rank < role.rank:
        raise RoleTooLow(f"That needs the role {role.value} in {workspace.name}.", role=role.value)
    return actual


def is_organization_admin(*, user: User, workspace: Workspace) -> bool:
    """Whether ``user`` administers the whole organization of a workspace, not only the room."""
    if not user.is_active:
        return False
    own = Membership.objects.filter(user=user, organization_id=workspace.organization_id, workspace=None)
    return user.is_staff or own.filter(role=Role.ADMIN).exists()


def list_api_keys(*, workspace: Workspace, user: User, page: PageRequest) -> Page[ApiKey]:
    """Return the keys of a workspace with who made them, those that still open something first, then the newest: all of
    them to its administrators, to others their own.
    """
    rows = _visible_keys(workspace, user).order_by(F("revoked_at").asc(nulls_first=True), "-id")
    return fetch_page(rows, page)


def get_api_key(*, workspace: Workspace, user: User, uid: UUID) -> ApiKey:
    """Return a key that ``user`` may look after. Raises KeyNotFound."""
    key = _visible_keys(workspace, user).filter(uid=uid).first()
    if key is None:
        raise KeyNotFound("There is no such API key.")
    return key


def find_api_key(*, workspace: Workspace, key_id: int) -> ApiKey | None:
    """Return a key by its number, as what it did names it, or None when there is none in the workspace."""
    return ApiKey.objects.filter(workspace=workspace, pk=key_id).first()


def _visible_keys(workspace: Workspace, user: User) -> QuerySet[ApiKey]:
    rows = ApiKey.objects.filter(workspace=workspace).select_related("created_by")
    return rows if effective_role(user=user, workspace=workspace) is Role.ADMIN else rows.filter(created_by=user)


def _visible_workspaces(user: User) -> QuerySet[Workspace]:
    if not user.is_active:
        return Workspace.objects.none()
    if user.is_staff:
        return Workspace.objects.all()
    memberships = Membership.objects.filter(user=user)
    administered = memberships.filter(workspace=None, role=Role.ADMIN).values("organization_id")
    joined = memberships.exclude(workspace=None).values("workspace_id")
    return Workspace.objects.filter(Q(organization_id__in=administered) | Q(id__in=joined))


def list_administrators(*, workspace: Workspace) -> list[User]:
    """Return who administers a workspace, or all of its organization, by address."""
    admins = Membership.objects.filter(organization_id=workspace.organization_id, role=Role.ADMIN)
    rows = admins.filter(Q(workspace=None) | Q(workspace=workspace)).values("user_id")
    return list(User.objects.filter(pk__in=rows, is_active=True).order_by("email"))


def list_former_values(*, organization_id: int, object_type: str, object_ids: Collection[int], name: str) -> list[str]:
    """Return the texts that a value of these things had before it was changed, as the audit trail has them."""
    entries = AuditEntry.objects.filter(
        organization_id=organization_id, object_type=object_type, object_id__in=object_ids, before__has_key=name
    )
    found = entries.values_list(f"before__{name}", flat=True)
    return sorted({value for value in found if isinstance(value, str) and value})
