"""The preference centre over HTTP: shown by a signed link, saved as a whole, and found again by e-mail."""

import re
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from postroom.core.contacts import services
from postroom.core.contacts.models import ConsentChange, Contact, ContactWorkspace, List, ListMember
from postroom.core.contacts.rules.links import preference_token
from postroom.core.contacts.types import ListTerms
from postroom.core.events import services as events
from postroom.core.mail.models import Message
from postroom.core.mail.rules import tokens
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.edge import brake
from tests.edge.readers import make_letter, make_list, make_reader
from tests.factories import NOW, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def released() -> Iterator[None]:
    """Let go of the brake that earlier tests pressed."""
    cache.clear()
    yield
    cache.clear()


def make_public(workspace: Workspace, name: str) -> List:
    list_ = make_list(workspace, name)
    terms = ListTerms(name, description="Every <Monday>", is_public=True)
    return services.update_list(workspace=workspace, list_id=list_.pk, terms=terms, actor=SYSTEM, now=NOW)


def page_of(workspace: Workspace, reader: Contact) -> str:
    return f"/p/{preference_token(workspace.pk, reader.pk)}"


def test_the_page_shows_what_is_stored_and_saves_what_is_chosen(client: Client) -> None:
    workspace = make_workspace(name="Harbour <News>")
    weekly, daily = make_public(workspace, "Weekly"), make_public(workspace, "Daily")
    reader = make_reader(workspace, weekly)
    url = page_of(workspace, reader)

    page = client.get(url)
    text = page.content.decode()
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert page.headers["Cache-Control"] == "no-store"
    assert re.findall(r'name="lists" value="([^"]+)" checked', text) == [str(weekly.uid)]
    assert "Every &lt;Monday&gt;" in text
    assert "Harbour &lt;News&gt;" in text
    assert (reader.email or "") not in text
    assert not ConsentChange.objects.exclude(source="form").exists()

    saved = client.post(url, {"reach": "chosen", "lists": [str(daily.uid)]}).content.decode()
    assert "Saved" in saved
    assert re.findall(r'name="lists" value="([^"]+)" checked', saved) == [str(daily.uid)]
    assert dict(ListMember.objects.values_list("list_id", "status")) == {
        weekly.pk: "unsubscribed",
        daily.pk: "subscribed",
    }


@pytest.mark.parametrize(
    "body",
    [{}, {"reach": "all"}, {"reach": "chosen", "lists": "x"}, {"reach": "chosen", "lists": "{other}"}],
)
def test_what_was_not_offered_is_refused_as_a_whole(client: Client, body: dict[str, str]) -> None:
    workspace = make_workspace()
    reader = make_reader(workspace, make_public(workspace, "Weekly"))
    hidden = make_list(workspace, "Hidden")
    sent = {name: value.replace("{other}", str(hidden.uid)) for name, value in body.items()}
    page = client.post(page_of(workspace, reader), sent)
    assert "nothing was saved" in page.content.decode()
    assert ListMember.objects.get().status == "subscribed"


def test_forms_of_other_sites_are_refused() -> None:
    workspace = make_workspace()
    reader = make_reader(workspace)
    client = Client(enforce_csrf_checks=True)
    assert client.post(page_of(workspace, reader), {"reach": "nothing"}).status_code == 403
    assert client.post(f"/preferences/{workspace.slug}/", {"email": reader.email}).status_code == 403


def test_a_page_of_many_lists_takes_as_many_statements_as_one_of_few(client: Client) -> None:
    workspace = make_workspace()
    reader = make_reader(workspace)
    url = page_of(workspace, reader)

    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            client.get(url)
        return len(seen)

    few = cost()
    for number in range(20):
        make_public(workspace, f"List {number}")
    assert cost() == few <= 8


def test_the_unsubscribe_page_leads_to_it_before_and_after(client: Client) -> None:
    workspace = make_workspace()
    weekly = make_list(workspace)
    reader = make_reader(workspace, weekly)
    url = f"/u/{tokens.unsubscribe_token(make_letter(workspace, reader, weekly).pk)}"
    link = page_of(workspace, reader)
    assert link in client.get(url).content.decode()
    done = client.post(url, {"List-Unsubscribe": "One-Click", "scope": "everything"}, HTTP_USER_AGENT="Phone")
    assert link in done.content.decode()
    change = ConsentChange.objects.get(state="opted_out")
    assert change.proof["agent"] == "Phone"
    assert "message_id" in change.proof
    client.post(link, {"reach": "chosen", "lists": [str(weekly.uid)]})
    assert ContactWorkspace.objects.get().status == "subscribed"


def test_the_unsubscribe_page_of_somebody_who_is_gone_leads_to_no_dead_end(client: Client) -> None:
    workspace = make_workspace()
    reader = make_reader(workspace)
    url = f"/u/{tokens.unsubscribe_token(make_letter(workspace, reader).pk)}"
    services.delete_contact(workspace=workspace, uid=reader.uid, actor=SYSTEM, now=NOW)
    page = client.get(url)
    assert page.status_code == 200
    assert "/p/" not in page.content.decode()


def test_a_link_asked_for_by_mail_reaches_whoever_is_known_and_the_page_says_the_same_to_all(client: Client) -> None:
    workspace = make_workspace()
    reader = make_reader(workspace)
    answers = {
        client.post(f"/preferences/{workspace.slug}/", {"email": email}).content
        for email in (reader.email, "nobody@example.com", "nonsense")
    }
    assert len(answers) == 1
    assert b"If <strong>" in answers.pop()
    events.dispatch_events(now=NOW)
    message = Message.objects.get()
    assert message.to == [reader.email]
    assert message.slots["url"].endswith(page_of(workspace, reader))
    assert client.get(page_of(workspace, reader)).status_code == 200


def test_whoever_asks_by_the_hundred_is_braked(client: Client) -> None:
    workspace = make_workspace()
    url = f"/preferences/{workspace.slug}/"
    asked = [
        client.post(url, {"email": f"p{number}@example.com"}, REMOTE_ADDR="203.0.113.9").status_code
        for number in range(brake.MAX_PER_HOUR + 2)
    ]
    assert asked == [200] * brake.MAX_PER_HOUR + [429, 429]
    assert client.get(url, REMOTE_ADDR="203.0.113.9").status_code == 200
    assert client.post(url, {"email": "p@example.com"}, REMOTE_ADDR="203.0.113.10").status_code == 200


def test_the_short_address_leads_to_the_only_workspace_or_says_where_to_look(client: Client) -> None:
    one = make_workspace()
    assert client.get("/p/").headers["Location"] == f"/preferences/{one.slug}/"
    make_workspace()
    assert client.get("/p/").status_code == 200
    assert client.get("/preferences/no-such-room/").status_code == 404


@pytest.mark.parametrize("method", ["get", "post"])
def test_other_links_lead_nowhere(client: Client, method: str) -> None:
    workspace, stranger = make_workspace(), make_workspace()
    reader = make_reader(workspace)
    letter = make_letter(workspace, reader)
    good = preference_token(workspace.pk, reader.pk)
    others = (
        "x",
        good[:-1],
        good + "A",
        tokens.unsubscribe_token(letter.pk),
        preference_token(stranger.pk, reader.pk),
        preference_token(workspace.pk, reader.pk + 1),
        preference_token(0, 0),
    )
    for token in others:
        assert getattr(client, method)(f"/p/{token}", {"reach": "nothing"}).status_code == 404, token
    assert not ConsentChange.objects.exists()
