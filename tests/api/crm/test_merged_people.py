"""A program that stored the id or the address of somebody who was merged since still reaches them."""

import pytest

from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import Contact
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM, Door
from tests.api.clients import ApiClient, make_client
from tests.factories import NOW, make_contact, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> ApiClient:
    return make_client(workspace=workspace, door=Door.CRM)


@pytest.fixture
def merged(workspace: Workspace) -> tuple[Contact, Contact]:
    """Return the survivor and who they were as well."""
    one = make_contact(workspace=workspace, email="ada@example.com", first_name="Ada")
    two = make_contact(workspace=workspace, email="ada@work.example")
    contacts.merge_contacts(
        workspace=workspace, survivor_uid=one.uid, other_uid=two.uid, choices={}, actor=SYSTEM, now=NOW
    )
    return one, two


def test_the_old_id_reads_and_changes_the_survivor(client: ApiClient, merged: tuple[Contact, Contact]) -> None:
    one, two = merged
    found = client.get(f"/contacts/{two.uid}")
    assert (found.status, found.body["id"], found.body["email"]) == (200, str(one.uid), "ada@example.com")
    changed = client.put(f"/contacts/{two.uid}", {"lastName": "Lovelace"})
    assert (changed.status, changed.body["id"]) == (200, str(one.uid))
    one.refresh_from_db()
    assert one.last_name == "Lovelace"


def test_the_address_given_up_is_no_new_person(
    client: ApiClient, workspace: Workspace, merged: tuple[Contact, Contact]
) -> None:
    one, _ = merged
    refused = client.post("/contacts", {"email": "ADA@work.example", "firstName": "Somebody"})
    assert (refused.status, refused.body["contactId"]) == (409, str(one.uid))
    found = client.post("/contacts", {"email": "ada@work.example", "addToWorkspace": True})
    assert (found.status, found.body["id"]) == (200, str(one.uid))
    assert Contact.objects.count() == 1


def test_a_stranger_learns_nothing_from_an_old_id(merged: tuple[Contact, Contact]) -> None:
    _, two = merged
    stranger = make_client(workspace=make_workspace(), door=Door.CRM)
    assert stranger.get(f"/contacts/{two.uid}").status == 404
