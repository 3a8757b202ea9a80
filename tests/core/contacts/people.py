"""People for tests, made quickly."""

from postroom.core.contacts import services
from postroom.core.contacts.models import Contact, List
from postroom.core.contacts.types import FieldType, MemberStatus, NewContact, NewField
from postroom.core.workspaces.models import Workspace
from postroom.kit.types import JSONValue
from tests.factories import NOW, make_actor

_FIELDS = {
    "age": FieldType.NUMBER,
    "vip": FieldType.BOOLEAN,
    "joined": FieldType.DATE,
    "plan": FieldType.SELECT,
    "likes": FieldType.MULTISELECT,
    "motto": FieldType.TEXT,
}


def make_contact(
    workspace: Workspace, email: str | None = "ada@example.com", *, tags: tuple[str, ...] = (), **custom: JSONValue
) -> Contact:
    """Return a person of the workspace."""
    new = NewContact(email=email, first_name="Ada", custom=custom, tags=tags)
    return services.create_contact(workspace=workspace, new=new, actor=make_actor(), now=NOW)


def make_list(workspace: Workspace, *members: Contact, name: str = "News") -> List:
    """Return a list that ``members`` are subscribed to."""
    list_ = services.create_list(workspace=workspace, name=name, actor=make_actor(), now=NOW)
    for member in members:
        set_member(workspace, list_, member, MemberStatus.SUBSCRIBED)
    return list_


def set_member(workspace: Workspace, list_: List, contact: Contact, status: MemberStatus) -> None:
    """Set where a person stands with a list."""
    services.set_list_member(
        workspace=workspace,
        list_id=list_.pk,
        contact_id=contact.pk,
        status=status,
        source="test",
        actor=make_actor(),
        now=NOW,
    )


def make_fields(workspace: Workspace) -> None:
    """Define one field of each type that segments tell apart."""
    for key, type_ in _FIELDS.items():
        new = NewField(label=key.capitalize(), key=key, type=type_)
        services.create_field(workspace=workspace, new=new, actor=make_actor(), now=NOW)
