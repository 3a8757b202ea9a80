"""``postroom createkey``."""

from dataclasses import dataclass
from typing import Final

from postroom.core.workspaces import selectors
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.types import KEYED_DOORS, Actor, Door, NewKey
from postroom.kit.clock import now

DOORS: Final = KEYED_DOORS


@dataclass(frozen=True, slots=True)
class KeyOrder:
    """A key to make: it acts as the person who signs in with ``email``, in the workspace at ``slug``."""

    email: str
    slug: str
    door: Door
    name: str


def create_key(order: KeyOrder) -> str:
    """Make the key and return its secret, which is shown nowhere else.

    Raises UserNotFound, or WorkspaceNotFound when there is none or the person is no member of it.
    """
    user = selectors.get_user(email=order.email)
    workspace = selectors.get_workspace(user=user, slug=order.slug)
    actor = Actor(door=Door.COMMAND, user_id=user.pk)
    new = NewKey(door=order.door, name=order.name)
    _, secret = workspaces.create_api_key(workspace=workspace, user=user, new=new, actor=actor, now=now())
    return secret
