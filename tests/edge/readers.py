"""People on lists, and mail that was sent to them."""

from itertools import count

from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import Contact, List
from postroom.core.contacts.types import MemberStatus, NewContact
from postroom.core.mail.models import Message
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.factories import NOW
from tests.ledger import make_message

_numbers = count(1)


def make_list(workspace: Workspace, name: str = "Weekly letter") -> List:
    """Return a list of its own name."""
    return contacts.create_list(workspace=workspace, name=name, actor=SYSTEM, now=NOW)


def make_reader(workspace: Workspace, *lists: List) -> Contact:
    """Return a person who subscribed to ``lists``."""
    new = NewContact(email=f"reader-{next(_numbers)}@example.com")
    contact = contacts.create_contact(workspace=workspace, new=new, actor=SYSTEM, now=NOW)
    for list_ in lists:
        contacts.set_list_member(
            workspace=workspace,
            list_id=list_.pk,
            contact_id=contact.pk,
            status=MemberStatus.SUBSCRIBED,
            source="form",
            actor=SYSTEM,
            now=NOW,
        )
    return contact


def make_letter(workspace: Workspace, reader: Contact, *lists: List) -> Message:
    """Return a message that ``reader`` got because of ``lists``."""
    return make_message(workspace=workspace, contact=reader, to=[reader.email], list_ids=[list_.pk for list_ in lists])
