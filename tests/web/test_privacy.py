"""What the team does when a person asks for their data or for its end."""

import io
import json
import zipfile

import pytest
from django.test import Client

from postroom.core.contacts.models import Contact
from postroom.core.workspaces.models import AuditEntry, Workspace
from tests.factories import make_contact

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
