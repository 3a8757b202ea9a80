"""Who may knock, and into which workspace: keys of the form ``pai_…`` act as the person who made them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from ninja import Header, Query

from postroom.api.crm.ids import read_id
from postroom.api.shared.auth import BearerKey, KeyRequest
from postroom.core.workspaces import selectors as workspaces
from postroom.core.workspaces.types import Actor, Door, Role

if TYPE_CHECKING:
    from postroom.core.workspaces.models import Workspace

KEY: Final = BearerKey(Door.CRM)

WorkspaceHeader = Annotated[str | None, Header(None, alias="X-Workspace-Id")]
WorkspaceQuery = Annotated[str | None, Query(None, alias="workspaceId")]


@dataclass(frozen=True, slots=True)
class Room:
    """The active workspace of a request, and who acts there."""

    workspace: "Workspace"
    actor: Actor


def enter(request: KeyRequest, role: Role, *named: str | None) -> Room:
    """Return the active workspace: the first that is ``named``, else the key's.

    A key's workspace is a default, not a fence: its holder may name any that its maker may use. Raises
    WorkspaceNotFound, for strangers too, or RoleTooLow.
    """
    identity = request.auth
    name = next(filter(None, named), None)
    workspace = identity.workspace
    if name is not None:
        workspace = workspaces.get_workspace_by_uid(user=identity.user, uid=read_id(name))
    workspaces.require_role(user=identity.user, workspace=workspace, role=role)
    return Room(workspace, identity.actor)
