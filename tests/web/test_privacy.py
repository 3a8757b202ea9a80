"""What the team does when a person asks for their data or for its end."""

import io
import json
import zipfile

import pytest
from django.test import Client

from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import Contact
from postroom.core.contacts.types import InteractionType, NewContact, NewInteraction
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import AuditEntry, User, Workspace
from postroom.core.workspaces.types import SYSTEM, Role
from tests.factories import NOW, make_actor, make_contact, make_list, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(workspace: Workspace) -> Contact:
    return make_contact(workspace=workspace, email="ada@example.com")


def test_a_member_hands_out_what_is_known(as_colleague: Client, workspace: Workspace, ada: Contact) -> None:
    answer = as_colleague.post(f"/w/{workspace.slug}/contacts/{ada.uid}/data/")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert json.loads(archive.read("my-data.json"))["person"]["email"] == "ada@example.com"
    assert AuditEntry.objects.get(act="contact.data_exported").user is not None
    assert as_colleague.get(f"/w/{workspace.slug}/contacts/{ada.uid}/data/").status_code == 405


def test_a_viewer_hands_out_nothing(as_viewer: Client, workspace: Workspace, ada: Contact) -> None:
    assert as_viewer.post(f"/w/{workspace.slug}/contacts/{ada.uid}/data/").status_code == 403


def test_an_administrator_erases_whose_address_they_typed(as_owner: Client, workspace: Workspace, ada: Contact) -> None:
    address = f"/w/{workspace.slug}/contacts/{ada.uid}/erase/"
    assert "cannot be undone" in as_owner.get(address).content.decode()
    wrong = as_owner.post(address, {"confirmation": "bob@example.com"}).content.decode()
    assert "That is not ada@example.com." in wrong
    assert Contact.objects.get().erased_at is None

    done = as_owner.post(address, {"confirmation": "ADA@example.com"}, follow=True).content.decode()
    assert "The person is erased" in done
    assert "ada@example.com" not in done
    assert as_owner.get(f"/w/{workspace.slug}/contacts/{ada.uid}/").status_code == 404


def test_only_administrators_erase(as_colleague: Client, workspace: Workspace, ada: Contact) -> None:
    address = f"/w/{workspace.slug}/contacts/{ada.uid}/erase/"
    assert as_colleague.get(address).status_code == 403
    assert as_colleague.post(address, {"confirmation": "ada@example.com"}).status_code == 403
    assert Contact.objects.get().erased_at is None


def test_a_person_without_an_address_is_erased_by_name(as_owner: Client, workspace: Workspace, ada: Contact) -> None:
    Contact.objects.update(email=None, first_name="Ada", last_name="Lovelace")
    as_owner.post(f"/w/{workspace.slug}/contacts/{ada.uid}/erase/", {"confirmation": "ada lovelace"})
    assert Contact.objects.get().erased_at is not None


def test_a_member_hands_out_what_their_own_workspace_knows_and_an_administrator_everything(
    as_colleague: Client, as_owner: Client, owner: User, workspace: Workspace, ada: Contact
) -> None:
    workspaces.add_member(
        user=owner, organization=workspace.organization, workspace=None, role=Role.ADMIN, actor=SYSTEM, now=NOW
    )
    elsewhere = make_workspace(organization=workspace.organization, name="Elsewhere")
    contacts.add_contact(workspace=elsewhere, new=NewContact(email="ada@example.com"), actor=SYSTEM, now=NOW)
    for room, words in ((workspace, "Seen here"), (elsewhere, "Seen there")):
        note = NewInteraction(type=InteractionType.NOTE, body=words)
        contacts.add_interaction(workspace=room, contact_uid=ada.uid, new=note, actor=SYSTEM, now=NOW)
        contacts.tag_contact(workspace=room, uid=ada.uid, tag_name=words, actor=SYSTEM, now=NOW)
        make_list(workspace=room, members=[ada], name=words)
    double = make_contact(workspace=workspace, email="a.lovelace@example.com")
    make_list(workspace=workspace, members=[double], name="Of the double")
    contacts.merge_contacts(
        workspace=workspace, survivor_uid=ada.uid, other_uid=double.uid, choices={}, actor=SYSTEM, now=NOW
    )
    private = NewInteraction(type=InteractionType.NOTE, body="For myself", is_team_visible=False)
    contacts.add_interaction(workspace=workspace, contact_uid=ada.uid, new=private, actor=make_actor(), now=NOW)

    def take(client: Client) -> str:
        answer = client.post(f"/w/{workspace.slug}/contacts/{ada.uid}/data/")
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            return archive.read("my-data.json").decode()

    own, all_of_it = take(as_colleague), take(as_owner)
    assert "Seen here" in own
    assert "Seen there" not in own
    assert "Elsewhere" not in own
    former = [json.loads(text)["former_records"][0]["snapshot"] for text in (own, all_of_it)]
    assert former[0]["email"] == "a.lovelace@example.com"
    assert ["lists" in record for record in former] == [False, True]
    assert "Seen there" in all_of_it
    assert "For myself" not in own + all_of_it
