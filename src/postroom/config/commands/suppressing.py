"""``postroom suppress`` and ``postroom unsuppress``."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from postroom.core.contacts import services
from postroom.core.contacts.types import Lift, SuppressionReason, SuppressionScope
from postroom.core.workspaces.errors import WorkspaceNotFound
from postroom.core.workspaces.selectors import find_workspace
from postroom.core.workspaces.types import Actor, Door
from postroom.kit.clock import now
from postroom.kit.errors import Invalid

if TYPE_CHECKING:
    from postroom.core.workspaces.models import Workspace

ACTOR: Final = Actor(door=Door.COMMAND)


@dataclass(frozen=True, slots=True)
class SuppressionOrder:
    """An address, how far the order reaches, the workspace it is for (and in whose record it is kept), and why."""

    email: str
    workspace: str
    scope: SuppressionScope
    note: str = ""


class BadScope(Invalid):
    """There is no such scope; there are workspace, organization and platform."""

    code = "bad_scope"


def read_scope(text: str) -> SuppressionScope:
    """Return the scope of that name. Raises BadScope."""
    try:
        return SuppressionScope(text)
    except ValueError as error:
        raise BadScope from error


def suppress(order: SuppressionOrder, reason: SuppressionReason) -> bool:
    """Never mail the address again; return whether that was news."""
    return services.suppress_address(
        workspace=_find(order),
        email=order.email,
        scope=order.scope,
        reason=reason,
        detail=order.note,
        actor=ACTOR,
        now=now(),
    )


def unsuppress(order: SuppressionOrder, *, is_confirmed: bool) -> bool:
    """Lift the suppression in this scope; return whether there was one."""
    return services.unsuppress_address(
        workspace=_find(order),
        email=order.email,
        scope=order.scope,
        lift=Lift(order.note, is_confirmed),
        actor=ACTOR,
        now=now(),
    )


def _find(order: SuppressionOrder) -> "Workspace":
    workspace = find_workspace(slug=order.workspace)
    if workspace is None:
        raise WorkspaceNotFound(f"There is no workspace {order.workspace!r}.")
    return workspace
