"""Reads of tenancy: which workspaces a person sees, and what they may do there."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Q, QuerySet

from postroom.core.workspaces.errors import RoleTooLow, UserNotFound, WorkspaceNotFound
from postroom.core.workspaces.models import AuditEntry, Membership, User, Workspace
from postroom.core.workspaces.rules import combine_roles, highest_role
from postroom.core.workspaces.types import Role


def find_workspace(*, slug: str) -> Workspace | None:
    """Return the workspace at ``slug``, whoever asks; for commands and the open internet."""
    return Workspace.objects.select_related("organization").filter(slug=slug).first()


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


def _visible_workspaces(user: User) -> QuerySet[Workspace]:
    if not user.is_active:
        return Workspace.objects.none()
    if user.is_staff:
        return Workspace.objects.all()
    memberships = Membership.objects.filter(user=user)
    administered = memberships.filter(workspace=None, role=Role.ADMIN).values("organization_id")
    joined = memberships.exclude(workspace=None).values("workspace_id")
    return Workspace.objects.filter(Q(organization_id__in=administered) | Q(id__in=joined))


def list_former_values(*, organization_id: int, object_type: str, object_ids: Collection[int], name: str) -> list[str]:
    """Return the texts that a value of these things had before it was changed, as the audit trail has them."""
    entries = AuditEntry.objects.filter(
        organization_id=organization_id, object_type=object_type, object_id__in=object_ids, before__has_key=name
    )
    found = entries.values_list(f"before__{name}", flat=True)
    return sorted({value for value in found if isinstance(value, str) and value})
