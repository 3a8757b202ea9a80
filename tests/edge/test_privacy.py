"""People and their own data: the public form, the link in the mailbox, the file, the end."""

import io
import json
import re
import zipfile
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client

from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import Contact, PrivacyRequest
from postroom.core.contacts.types import InteractionType, NewInteraction, PrivacyRequestKind
from postroom.core.events import services as events
from postroom.core.mail.models import Message
from postroom.core.workspaces.models import AuditEntry, Workspace
from postroom.edge.brake import MAX_PER_HOUR
from postroom.kit import clock
from postroom.kit.tokens import make_token
from tests.factories import make_actor, make_contact, make_list, make_organization, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(organization=make_organization(name="Northwind"), name="Newsroom")


@pytest.fixture
def ada(workspace: Workspace) -> Contact:
    ada = make_contact(workspace=workspace, email="ada@example.com", first_name="Ada")
    make_list(workspace=workspace, members=[ada], name="Monthly letter")
    note = NewInteraction(type=InteractionType.CALL, subject="Called", body="Wants to hear of engines.")
    contacts.add_interaction(workspace=workspace, contact_uid=ada.uid, new=note, actor=make_actor(), now=clock.now())
    return ada


def ask(client: Client, workspace: Workspace, kind: str, email: str = "Ada@Example.com ") -> str:
    """Ask for a link and return its path, taken from the mail that was accepted; empty when there is no mail."""
    answer = client.post(f"/privacy/{workspace.slug}/", {"email": email, "kind": kind})
    assert "Look into your mailbox" in answer.content.decode()
    events.dispatch_events(now=clock.now())
    message = Message.objects.order_by("-pk").first()
    found = re.search(rf"{settings.PUBLIC_URL}(/privacy/r/[\w-]+)", json.dumps(message.slots)) if message else None
    return found[1] if found else ""


def test_a_person_gets_everything_that_is_known_of_them(client: Client, workspace: Workspace, ada: Contact) -> None:
    link = ask(client, workspace, "export")
    page = client.get(link).content.decode()
    assert "everything that <strong>Northwind</strong>" in page
    assert PrivacyRequest.objects.get().used_at is None  # a scanner that follows links uses nothing up

    answer = client.post(link)
    assert answer["Content-Type"] == "application/zip"
    assert answer["Cache-Control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        data = json.loads(archive.read("my-data.json"))
        text = archive.read("my-data.txt").decode()
    assert data["held_by"] == "Northwind"
    assert data["person"]["email"] == "ada@example.com"
    assert data["lists"][0]["list"] == "Monthly letter"
    assert data["consent_history"][0]["state"] == "subscribed"
    assert data["notes_and_meetings"][0]["body"] == "Wants to hear of engines."
    assert [message["kind"] for message in data["messages"]] == ["system"]
    assert {"event": "contact.created", "at": data["what_happened"][0]["at"]} == data["what_happened"][0]
    assert "Body: Wants to hear of engines." in text
    assert "What Northwind knows of you" in text
    assert AuditEntry.objects.filter(act="contact.data_exported").count() == 1


def test_nothing_about_anybody_else_is_in_the_file(client: Client, workspace: Workspace, ada: Contact) -> None:
    make_contact(workspace=workspace, email="bob@example.com", first_name="Bobby")
    answer = client.post(ask(client, workspace, "export"))
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert not re.search("bob", archive.read("my-data.json").decode(), re.IGNORECASE)


def test_a_person_erases_themselves(client: Client, workspace: Workspace, ada: Contact) -> None:
    link = ask(client, workspace, "erasure")
    assert "Erase your data?" in client.get(link).content.decode()
    assert Contact.objects.get().erased_at is None

    answer = client.post(link)
    assert "Your data is erased" in answer.content.decode()
    assert "ada@" not in answer.content.decode()
    while not contacts.finish_erasure(contact_id=ada.pk, clock=clock.now):
        pass
    ada.refresh_from_db()
    assert (ada.email, ada.first_name, ada.address_hash, ada.custom) == (None, "", None, {})
    request = PrivacyRequest.objects.get()
    assert (request.status, request.finished_at is not None) == ("done", True)
    assert client.get(link).status_code == 410


@pytest.mark.parametrize("kind", ["export", "erasure"])
def test_a_link_works_once(client: Client, workspace: Workspace, ada: Contact, kind: str) -> None:
    link = ask(client, workspace, kind)
    assert client.post(link).status_code == 200
    for again in (client.get(link), client.post(link)):
        assert again.status_code == 410
        assert "It works once" in again.content.decode()


def test_a_link_expires_after_a_week(client: Client, workspace: Workspace, ada: Contact) -> None:
    link = ask(client, workspace, "export")
    PrivacyRequest.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert (client.get(link).status_code, client.post(link).status_code) == (410, 410)
    PrivacyRequest.objects.update(expires_at=clock.now() + timedelta(days=7))
    assert client.get(link).status_code == 200


def test_a_link_that_we_never_sent_leads_nowhere(client: Client, workspace: Workspace, ada: Contact) -> None:
    link = ask(client, workspace, "export")
    forged = make_token("privacy", ada.uid.bytes)
    foreign = make_token("preferences", PrivacyRequest.objects.get().uid.bytes)
    for token in ("unknown", forged, foreign, link.rpartition("/")[2][:-1]):
        assert client.get(f"/privacy/r/{token}").status_code == 404
        assert client.post(f"/privacy/r/{token}").status_code == 404
    assert client.get("/privacy/nowhere/").status_code == 404


def test_a_stranger_is_answered_alike_and_gets_no_mail(client: Client, workspace: Workspace, ada: Contact) -> None:
    known = client.post(f"/privacy/{workspace.slug}/", {"email": "ada@example.com", "kind": "export"})
    unknown = client.post(f"/privacy/{workspace.slug}/", {"email": "eve@example.com", "kind": "export"})
    nonsense = client.post(f"/privacy/{workspace.slug}/", {"email": "no address", "kind": "export"})
    assert known.content == unknown.content == nonsense.content
    events.dispatch_events(now=clock.now())
    assert [message.to for message in Message.objects.all()] == [["ada@example.com"]]
    assert "eve" not in str(list(PrivacyRequest.objects.values()))


def test_nobody_is_flooded_with_links(client: Client, workspace: Workspace, ada: Contact) -> None:
    for _ in range(8):
        ask(client, workspace, "export")
    assert Message.objects.count() == 5


def test_one_client_is_slowed_down(client: Client, workspace: Workspace) -> None:
    form = {"email": "eve@example.com", "kind": "export"}
    statuses = [
        client.post(f"/privacy/{workspace.slug}/", form, REMOTE_ADDR="203.0.113.9").status_code
        for _ in range(MAX_PER_HOUR + 1)
    ]
    assert statuses == [200] * MAX_PER_HOUR + [429]
    assert client.post(f"/privacy/{workspace.slug}/", form, REMOTE_ADDR="203.0.113.10").status_code == 200


def test_a_form_without_a_wish_says_what_is_missing(client: Client, workspace: Workspace) -> None:
    page = client.post(f"/privacy/{workspace.slug}/", {"email": "ada@example.com"}).content.decode()
    assert "choose what you want" in page
    assert not PrivacyRequest.objects.exists()


def test_a_person_erased_meanwhile_has_no_link_any_more(client: Client, workspace: Workspace, ada: Contact) -> None:
    link = ask(client, workspace, "export")
    contacts.erase_contact(workspace=workspace, uid=ada.uid, actor=make_actor(), now=clock.now())
    assert client.get(link).status_code == 410


def test_requests_are_forgotten_in_time(client: Client, workspace: Workspace, ada: Contact) -> None:
    client.post(ask(client, workspace, "export"))
    client.post(f"/privacy/{workspace.slug}/", {"email": "eve@example.com", "kind": PrivacyRequestKind.EXPORT.value})
    contacts.forget_privacy_requests(now=clock.now() + timedelta(days=36))
    assert PrivacyRequest.objects.count() == 2
    contacts.forget_privacy_requests(now=clock.now() + timedelta(days=38))
    assert PrivacyRequest.objects.get().used_at is not None
    contacts.forget_privacy_requests(now=clock.now() + timedelta(days=1100))
    assert not PrivacyRequest.objects.exists()
