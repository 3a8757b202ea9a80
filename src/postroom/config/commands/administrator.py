"""``postroom createadmin``."""

from dataclasses import dataclass

from django.db import transaction

from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.types import Actor, Door, Role
from postroom.kit.clock import now


@dataclass(frozen=True, slots=True)
class NewAdministrator:
    """A person to make, with a tenant of their own."""

    email: str
    password: str
    organization: str
    workspace: str


@transaction.atomic
def create_administrator(new: NewAdministrator) -> None:
    """Make the person, the organization and its first workspace, all or nothing. Raises what the services raise."""
    at = now()
    name = new.email.partition("@")[0]
    user = workspaces.create_user(email=new.email, password=new.password, name=name, now=at)
    actor = Actor(door=Door.COMMAND, user_id=user.pk)
    organization = workspaces.create_organization(name=new.organization, now=at)
    workspaces.create_workspace(
        organization=organization, name=new.workspace.capitalize(), slug=new.workspace, actor=actor, now=at
    )
    workspaces.add_member(user=user, organization=organization, role=Role.ADMIN, actor=actor, now=at)
