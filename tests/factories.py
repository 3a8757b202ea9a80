"""Plain makers of stored things for tests: each makes what it needs and takes the rest by name."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Final

from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import Contact, List
from postroom.core.contacts.types import MemberStatus, NewContact
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import Organization, User, Workspace
from postroom.core.workspaces.types import SYSTEM, Actor, Door, Role

NOW: Final = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
PASSWORD: Final = "correct horse battery"

_numbers = count(1)


def make_organization(*, name: str = "Northwind", now: datetime = NOW) -> Organization:
    """Return a tenant."""
    return workspaces.create_organization(name=name, now=now)


def make_workspace(
    *, organization: Organization | None = None, slug: str | None = None, name: str = "Newsroom", now: datetime = NOW
) -> Workspace:
    """Return a workspace, in a tenant of its own unless one is given."""
    return workspaces.create_workspace(
        organization=organization or make_organization(now=now),
        name=name,
        slug=slug or f"room-{next(_numbers)}",
        actor=SYSTEM,
        now=now,
    )


def make_user(
    *,
    workspace: Workspace | None = None,
    role: Role = Role.ADMIN,
    email: str | None = None,
    password: str | None = PASSWORD,
    now: datetime = NOW,
) -> User:
    """Return a person; with ``workspace`` they are a member of it."""
    email = email or f"user-{next(_numbers)}@example.com"
    user = workspaces.create_user(email=email, password=password, name="Robin Ward", now=now)
    if workspace is not None:
        workspaces.add_member(
            user=user, organization=workspace.organization, workspace=workspace, role=role, actor=SYSTEM, now=now
        )
    return user


def make_actor(user: User | None = None, *, door: Door = Door.WEB) -> Actor:
    """Return who acts: ``user`` through ``door``."""
    return Actor(door=door, user_id=user.pk if user else None)


def make_contact(
    *, workspace: Workspace, email: str | None = None, first_name: str = "Robin", now: datetime = NOW
) -> Contact:
    """Return a person of the workspace with an address."""
    new = NewContact(email=email or f"reader-{next(_numbers)}@example.net", first_name=first_name)
    return contacts.create_contact(workspace=workspace, new=new, actor=SYSTEM, now=now)


def make_list(*, workspace: Workspace, members: Sequence[Contact] = (), name: str = "", now: datetime = NOW) -> List:
    """Return a list on which ``members`` are subscribed."""
    list_ = contacts.create_list(workspace=workspace, name=name or f"List {next(_numbers)}", actor=SYSTEM, now=now)
    for contact in members:
        contacts.set_list_member(
            workspace=workspace,
            list_id=list_.pk,
            contact_id=contact.pk,
            status=MemberStatus.SUBSCRIBED,
            source="test",
            actor=SYSTEM,
            now=now,
        )
    return list_
