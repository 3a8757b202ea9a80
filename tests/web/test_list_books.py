"""A list as programs know it, on its pages: its id, its variables, its mail as a document, its people's properties."""

import json

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from postroom.core.contacts import services
from postroom.core.contacts.models import List, ListMember
from postroom.core.contacts.types import BookChanges, BookEntry
from postroom.core.mail import services as mail
from postroom.core.mail.types import NewSender, Provider
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.factories import NOW, make_contact, make_list, make_workspace

pytestmark = pytest.mark.django_db

DOCUMENT = json.dumps(
    {
        "type": "doc",
        "content": [
            {"type": "paragraph", "content": [{"type": "text", "text": "Dear {{firstName}}, <yes>?"}]},
            {"type": "button", "attrs": {"text": "Oh yes", "url": "{{doubleOptInUrl}}"}},
        ],
    }
)


@pytest.fixture
def book(workspace: Workspace) -> List:
    changes = BookChanges(name="Club", emoji="🦊", properties={"team": "<growth>"}, variables=("company",))
    return services.create_book(workspace=workspace, changes=changes, actor=SYSTEM, now=NOW)


def put(book: List, *entries: BookEntry) -> None:
    services.put_book_contacts(workspace=book.workspace, list_uid=book.uid, entries=entries, actor=SYSTEM, now=NOW)


def page_of(client: Client, book: List, part: str = "") -> str:
    response = client.get(f"/w/{book.workspace.slug}/lists/{book.uid}/{part}")
    assert response.status_code == 200
    return response.content.decode()


def test_a_list_shows_what_programs_know_it_by(as_viewer: Client, book: List) -> None:
    page = page_of(as_viewer, book)
    assert f'<code class="break" id="book-id">{book.uid.hex}</code>' in page
    assert f"/usesend/api/v1/contactBooks/{book.uid.hex}/contacts" in page
    assert "🦊" in page
    assert "&lt;growth&gt;" in page
    assert 'value="company"' in page
    assert "🦊" in as_viewer.get(f"/w/{book.workspace.slug}/lists/").content.decode()


def test_its_people_are_shown_with_what_the_list_knows_of_them(as_viewer: Client, book: List) -> None:
    assert "Nobody is on this list yet" in page_of(as_viewer, book, "people/")
    put(
        book,
        BookEntry("ann@example.com", first_name="Ann", properties={"company": "<Acme>"}),
        BookEntry("bob@example.com", is_subscribed=False),
    )
    page = page_of(as_viewer, book, "people/")
    assert "ann@example.com" in page
    assert "&lt;Acme&gt;" in page
    assert "bg-yellow-lt" in page  # Ann waits
    assert "No more people" in page_of(as_viewer, book, "people/?page=9")
    assert "ann@example.com" in page_of(as_viewer, book, "people/?page=x")


def test_somebody_who_is_subscribed_and_gets_no_mail_is_marked(as_viewer: Client, workspace: Workspace) -> None:
    ann = make_contact(workspace=workspace)
    list_ = make_list(workspace=workspace, members=[ann])
    assert "gets no mail" not in page_of(as_viewer, list_, "people/")
    ann.is_globally_opted_out = True
    ann.save()
    assert "gets no mail" in page_of(as_viewer, list_, "people/")


def test_a_page_of_people_costs_the_same_however_many_there_are(
    as_viewer: Client, book: List, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    put(book, *(BookEntry(f"p{number}@example.com") for number in range(60)))
    with django_assert_max_num_queries(9):
        page = page_of(as_viewer, book, "people/")
    assert page.count('/">p') == 50
    assert 'rel="next"' in page
    assert page_of(as_viewer, book, "people/?page=2").count('/">p') == 10


def test_the_mail_that_asks_can_be_a_document_and_is_shown(as_colleague: Client, book: List) -> None:
    room = f"/w/{book.workspace.slug}/lists/{book.uid}/"
    said = {"is_double_opt_in": "on", "confirm_subject": "Hi {{firstName}}", "confirm_document": DOCUMENT}
    assert as_colleague.post(f"{room}confirmation/", said).status_code == 302
    shown = as_colleague.get(f"{room}mail/").content.decode()
    assert "Hi Ada" in shown
    assert "Dear Ada, &lt;yes&gt;?" in shown
    assert "Oh yes" in shown


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"confirm_document": "{}"}, "needs a link to"),
        ({"confirm_document": "{{doubleOptInUrl}}"}, "is not JSON"),
        ({"confirm_from": "nobody"}, "must have an @-sign"),
        ({"confirm_from": "hello@stranger.example"}, "stranger.example"),
    ],
)
def test_a_mail_that_could_not_be_sent_is_refused_with_the_reason(
    as_colleague: Client, book: List, said: dict[str, str], why: str
) -> None:
    new = NewSender(
        name="Mine", provider=Provider.SMTP, from_email="a@mine.example", config={"host": "mx.example", "port": 25}
    )
    mail.create_sender(workspace=book.workspace, new=new, actor=SYSTEM, now=NOW)
    url = f"/w/{book.workspace.slug}/lists/{book.uid}/confirmation/"
    refused = as_colleague.post(url, {"is_double_opt_in": "on", **said})
    assert refused.status_code == 200
    assert why in refused.content.decode()
    assert said.popitem()[1].replace('"', "&quot;") in refused.content.decode()  # what was typed is not lost
    book.refresh_from_db()
    assert book.confirm_from == ""


def test_a_variable_of_a_bad_name_is_refused(as_colleague: Client, book: List) -> None:
    url = f"/w/{book.workspace.slug}/lists/{book.uid}/"
    refused = as_colleague.post(url, {"name": "Club", "variables": "fine, e-mail"}).content.decode()
    assert "letters, digits and underscores" in refused
    assert 'value="fine, e-mail"' in refused


def test_who_only_views_changes_nothing(as_viewer: Client, book: List) -> None:
    room = f"/w/{book.workspace.slug}/lists/{book.uid}/"
    assert as_viewer.post(room, {"name": "Mine"}).status_code == 403
    assert as_viewer.post(f"{room}confirmation/", {}).status_code == 403
    book.refresh_from_db()
    assert (book.name, book.is_double_opt_in) == ("Club", True)


def test_the_list_of_another_workspace_is_not_there(as_colleague: Client, workspace: Workspace) -> None:
    theirs = make_list(workspace=make_workspace())
    for part in ("", "people/", "confirmation/"):
        assert as_colleague.get(f"/w/{workspace.slug}/lists/{theirs.uid}/{part}").status_code == 404
    assert not ListMember.objects.exists()
