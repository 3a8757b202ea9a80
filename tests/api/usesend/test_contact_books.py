"""Contact books through the useSend dialect: made, looked up, changed and forgotten."""

import json
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from postroom.core.campaigns.models import Campaign, CampaignList
from postroom.core.campaigns.types import CampaignStatus
from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import Contact, List, ListMember
from postroom.core.events.models import DomainEvent
from postroom.core.mail import services as mail
from postroom.core.mail.models import Domain
from postroom.core.mail.types import NewSender, Provider
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM, Door, Role
from tests.api.clients import ApiClient, make_client
from tests.factories import NOW, make_contact, make_list, make_workspace

pytestmark = pytest.mark.django_db

LINKED = json.dumps(
    {"type": "doc", "content": [{"type": "button", "attrs": {"text": "Go", "url": "{{ DOUBLEOPTINURL }}"}}]}
)


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> ApiClient:
    return make_client(workspace=workspace, door=Door.USESEND)


def error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def sender_at(workspace: Workspace, email: str) -> None:
    new = NewSender(name=email, provider=Provider.SMTP, from_email=email, config={"host": "mx.example", "port": 25})
    mail.create_sender(workspace=workspace, new=new, actor=SYSTEM, now=NOW)


def test_a_book_begins_with_double_opt_in_its_default_mail_and_its_emoji(
    client: ApiClient, workspace: Workspace
) -> None:
    made = client.post("/v1/contactBooks", {"name": "News"})
    assert made.status == 200
    book = made.body
    list_ = List.objects.get()
    assert (book["id"], book["name"], book["teamId"], book["emoji"]) == (list_.uid.hex, "News", workspace.pk, "📙")
    assert (book["properties"], book["variables"], book["doubleOptInFrom"]) == ({}, [], None)
    assert book["doubleOptInEnabled"] is True
    assert book["doubleOptInSubject"] == "Please confirm your subscription"
    assert "{{doubleOptInUrl}}" in book["doubleOptInContent"]
    assert json.loads(book["doubleOptInContent"])["type"] == "doc"
    assert "_count" not in book
    assert book["createdAt"] == book["updatedAt"]


def test_a_book_keeps_what_it_was_made_with(client: ApiClient) -> None:
    said = {
        "name": "Club",
        "emoji": "🚀",
        "properties": {"team": "growth"},
        "variables": ["Company", "company", "plan_2"],
        "doubleOptInEnabled": False,
        "doubleOptInSubject": "Hello {{firstName}}",
        "doubleOptInContent": LINKED,
    }
    book = client.post("/v1/contactBooks", said).body
    assert {name: book[name] for name in said} == {**said, "variables": ["Company", "plan_2"]}
    assert client.get(f"/v1/contactBooks/{book['id']}").body == {**book, "_count": {"contacts": 0}}


def test_people_are_counted_when_books_are_listed_or_looked_up(client: ApiClient, workspace: Workspace) -> None:
    people = [make_contact(workspace=workspace) for _ in range(3)]
    news, empty = make_list(workspace=workspace, members=people, name="News"), make_list(workspace=workspace)
    listed = client.get("/v1/contactBooks").body
    assert [(one["id"], one["_count"]["contacts"]) for one in listed] == [(news.uid.hex, 3), (empty.uid.hex, 0)]
    assert client.get(f"/v1/contactBooks/{news.uid.hex}").body["_count"] == {"contacts": 3}


def test_listing_books_costs_the_same_however_many_there_are(
    client: ApiClient, workspace: Workspace, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(20):
        make_list(workspace=workspace)
    with django_assert_max_num_queries(8):
        assert len(client.get("/v1/contactBooks").body) == 20


def test_a_book_made_on_our_pages_says_nothing_of_its_mail_and_can_be_changed(
    client: ApiClient, workspace: Workspace
) -> None:
    list_ = make_list(workspace=workspace, name="Old")
    List.objects.filter(pk=list_.pk).update(updated_at=None)  # one of before there were books
    book = client.get(f"/v1/contactBooks/{list_.uid.hex}").body
    assert (book["doubleOptInSubject"], book["doubleOptInContent"], book["emoji"]) == (None, None, "📙")
    assert book["updatedAt"] == book["createdAt"]
    assert book["doubleOptInEnabled"] is False
    changed = client.ask("PATCH", f"/v1/contactBooks/{list_.uid.hex}", {"name": "New", "doubleOptInEnabled": True})
    assert changed.status == 200
    assert (changed.body["name"], changed.body["doubleOptInEnabled"]) == ("New", True)


def test_a_change_leaves_what_it_does_not_mention_and_replaces_properties_as_a_whole(client: ApiClient) -> None:
    book = client.post("/v1/contactBooks", {"name": "News", "emoji": "🦊", "properties": {"a": "1", "b": "2"}}).body
    path = f"/v1/contactBooks/{book['id']}"
    changed = client.ask("PATCH", path, {"properties": {"c": "3"}}).body
    assert changed["properties"] == {"c": "3"}
    same = ("name", "emoji", "doubleOptInEnabled", "doubleOptInSubject", "doubleOptInContent", "createdAt")
    assert [changed[name] for name in same] == [book[name] for name in same]
    assert changed["updatedAt"] > book["updatedAt"]
    assert client.ask("PATCH", path, {}).status == 200


def test_blank_words_of_the_mail_are_the_default_ones_again(client: ApiClient) -> None:
    usual = client.post("/v1/contactBooks", {"name": "Usual"}).body
    own = {"name": "Own", "doubleOptInSubject": "Mine", "doubleOptInContent": LINKED}
    book = client.post("/v1/contactBooks", own).body
    assert book["doubleOptInSubject"] == "Mine"
    blank = {"doubleOptInSubject": " ", "doubleOptInContent": ""}
    changed = client.ask("PATCH", f"/v1/contactBooks/{book['id']}", blank).body
    assert [changed[name] for name in blank] == [usual[name] for name in blank]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (json.dumps({"type": "doc", "content": []}), "needs a link to {{doubleOptInUrl}}"),
        ("{{doubleOptInUrl}}", "Invalid content JSON"),
        (json.dumps({"type": "doc", "content": [{"type": "video {{doubleOptInUrl}}"}]}), "Unknown node"),
    ],
)
def test_a_mail_that_could_not_be_confirmed_or_sent_is_refused_and_no_book_is_made(
    client: ApiClient, content: str, said: str
) -> None:
    refused = client.post("/v1/contactBooks", {"name": "News", "doubleOptInContent": content})
    assert refused.status == 400
    assert refused.body["error"]["code"] == "BAD_REQUEST"
    assert said in refused.body["error"]["message"]
    assert not List.objects.exists()


def test_the_sender_must_be_on_a_domain_that_may_send(client: ApiClient, workspace: Workspace) -> None:
    sandboxed = client.post("/v1/contactBooks", {"name": "Any", "doubleOptInFrom": "hello@anything.example"})
    assert (sandboxed.status, sandboxed.body["doubleOptInFrom"]) == (200, "hello@anything.example")
    sender_at(workspace, "news@acme.example")
    Domain.objects.create(workspace=workspace, name="slow.example", created_at=NOW)
    good = {"name": "Good", "doubleOptInFrom": "News <hello@acme.example>"}
    book = client.post("/v1/contactBooks", good).body
    assert book["doubleOptInFrom"] == "News <hello@acme.example>"
    path = f"/v1/contactBooks/{book['id']}"
    for bad in ("hello@other.example", "hello@slow.example", "nonsense", "a@acme.example, b@acme.example"):
        refused = client.ask("PATCH", path, {"doubleOptInFrom": bad})
        assert (refused.status, refused.body["error"]["code"]) == (400, "BAD_REQUEST"), bad
        assert client.post("/v1/contactBooks", {"name": "Bad", "doubleOptInFrom": bad}).status == 400
    assert client.get(path).body["doubleOptInFrom"] == "News <hello@acme.example>"
    assert client.ask("PATCH", path, {"doubleOptInFrom": "  "}).body["doubleOptInFrom"] is None
    client.ask("PATCH", path, {"doubleOptInFrom": "hello@acme.example"})
    assert client.ask("PATCH", path, {"doubleOptInFrom": None}).body["doubleOptInFrom"] is None


def test_a_sender_whose_domain_was_given_up_does_not_hold_up_other_changes(
    client: ApiClient, workspace: Workspace
) -> None:
    book = client.post("/v1/contactBooks", {"name": "Any", "doubleOptInFrom": "hello@anything.example"}).body
    sender_at(workspace, "news@acme.example")
    changed = client.ask("PATCH", f"/v1/contactBooks/{book['id']}", {"name": "Other"})
    assert (changed.status, changed.body["doubleOptInFrom"]) == (200, "hello@anything.example")


@pytest.mark.parametrize("bad", ["first name", "", "naïve", "email", "FirstName", "a" * 101, "a-b"])
def test_names_of_variables_are_checked(client: ApiClient, bad: str) -> None:
    refused = client.post("/v1/contactBooks", {"name": "News", "variables": ["fine", bad]})
    assert (refused.status, refused.body["error"]["code"]) == (400, "BAD_REQUEST")
    assert not List.objects.exists()


def test_a_second_book_of_one_name_gets_a_number(client: ApiClient) -> None:
    names = [client.post("/v1/contactBooks", {"name": name}).body["name"] for name in ("News", "news", "News", "Club")]
    assert names == ["News", "news (2)", "News (3)", "Club"]
    long = [client.post("/v1/contactBooks", {"name": "x" * 200}).body["name"] for _ in range(2)]
    assert long == ["x" * 200, "x" * 196 + " (2)"]
    club = List.objects.get(name="Club").uid.hex
    assert client.ask("PATCH", f"/v1/contactBooks/{club}", {"name": "NEWS"}).body["name"] == "NEWS (4)"
    assert client.ask("PATCH", f"/v1/contactBooks/{club}", {"name": "news (4)"}).body["name"] == "news (4)"


def test_names_are_free_again_in_another_workspace(client: ApiClient) -> None:
    client.post("/v1/contactBooks", {"name": "News"})
    other = make_client(workspace=make_workspace(), door=Door.USESEND)
    assert other.post("/v1/contactBooks", {"name": "News"}).body["name"] == "News"


def test_a_deleted_book_is_gone_and_its_people_stay(client: ApiClient, workspace: Workspace) -> None:
    ann = make_contact(workspace=workspace)
    news = make_list(workspace=workspace, members=[ann], name="News")
    gone = client.ask("DELETE", f"/v1/contactBooks/{news.uid.hex}")
    said = {"id": news.uid.hex, "success": True, "message": "Contact book deleted successfully"}
    assert (gone.status, gone.body) == (200, said)
    assert not ListMember.objects.exists()
    assert Contact.objects.get() == ann
    again = client.ask("DELETE", f"/v1/contactBooks/{news.uid.hex}")
    assert (again.status, again.body) == (404, error("NOT_FOUND", "Contact book not found"))


def test_a_book_that_a_segment_asks_about_stays(client: ApiClient, workspace: Workspace) -> None:
    news = make_list(workspace=workspace, name="News")
    condition = {"field": "list", "operator": "has", "value": str(news.uid)}
    filter_: dict[str, Any] = {"match": "all", "conditions": [condition]}
    contacts.create_segment(workspace=workspace, name="Readers", filter=filter_, actor=SYSTEM, now=NOW)
    refused = client.ask("DELETE", f"/v1/contactBooks/{news.uid.hex}")
    assert (refused.status, refused.body["error"]["code"]) == (403, "FORBIDDEN")
    assert "'Readers'" in refused.body["error"]["message"]
    assert List.objects.filter(pk=news.pk).exists()


def test_a_book_that_a_draft_is_for_stays_and_one_whose_campaigns_are_over_goes(
    client: ApiClient, workspace: Workspace
) -> None:
    news = make_list(workspace=workspace, name="News")
    campaign = Campaign.objects.create(workspace=workspace, name="Spring", created_at=NOW, updated_at=NOW)
    CampaignList.objects.create(campaign=campaign, list=news)
    path = f"/v1/contactBooks/{news.uid.hex}"
    refused = client.ask("DELETE", path)
    assert (refused.status, refused.body["error"]["code"]) == (403, "FORBIDDEN")
    assert "'Spring'" in refused.body["error"]["message"]
    Campaign.objects.update(status=CampaignStatus.SENT)
    assert client.ask("DELETE", path).status == 200
    assert Campaign.objects.exists()


@pytest.mark.parametrize("word", ["nonsense", "0" * 32, "ab", "01890a5d-ac96-774b-bcce-b302099a8057"])
def test_a_book_that_is_none_is_not_found(client: ApiClient, word: str) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        answer = client.ask(method, f"/v1/contactBooks/{word}", {} if method == "PATCH" else None)
        assert (answer.status, answer.body) == (404, error("NOT_FOUND", "Contact book not found")), method


def test_somebody_elses_book_is_not_found(client: ApiClient) -> None:
    theirs = make_list(workspace=make_workspace(), name="Theirs")
    path = f"/v1/contactBooks/{theirs.uid.hex}"
    for method in ("GET", "PATCH", "DELETE"):
        assert client.ask(method, path, {"name": "Mine"} if method == "PATCH" else None).status == 404
    assert List.objects.get().name == "Theirs"


@pytest.mark.parametrize(
    ("body", "issue"),
    [
        ({}, {"code": "invalid_type", "expected": "string", "received": "undefined", "path": ["name"]}),
        ({"name": ""}, {"code": "too_small", "minimum": 1, "type": "string", "path": ["name"]}),
        ({"name": 3}, {"code": "invalid_type", "expected": "string", "received": "number", "path": ["name"]}),
        ({"name": "a", "emoji": None}, {"code": "invalid_type", "received": "null", "path": ["emoji"]}),
        ({"name": "a", "properties": {"x": 1}}, {"code": "invalid_type", "path": ["properties", "x"]}),
        ({"name": "a", "properties": []}, {"code": "invalid_type", "expected": "object", "path": ["properties"]}),
        ({"name": "a", "doubleOptInEnabled": "yes"}, {"code": "invalid_type", "path": ["doubleOptInEnabled"]}),
        ({"name": "a", "doubleOptInSubject": None}, {"code": "invalid_type", "path": ["doubleOptInSubject"]}),
        ({"name": "a", "variables": "x"}, {"code": "invalid_type", "expected": "array", "path": ["variables"]}),
        ({"name": "a", "variables": [1]}, {"code": "invalid_type", "path": ["variables", 0]}),
    ],
)
def test_a_body_that_does_not_fit_is_told_in_zods_words(
    client: ApiClient, body: dict[str, Any], issue: dict[str, Any]
) -> None:
    refused = client.post("/v1/contactBooks", body)
    assert (refused.status, refused.body["success"]) == (400, False)
    (found,) = refused.body["error"]["issues"]
    assert {name: found[name] for name in issue} == issue
    assert not List.objects.exists()


def test_a_key_of_somebody_who_only_views_reads_and_writes_nothing(workspace: Workspace) -> None:
    news = make_list(workspace=workspace, name="News")
    viewer = make_client(workspace=workspace, door=Door.USESEND, role=Role.VIEWER)
    assert viewer.get("/v1/contactBooks").status == 200
    path = f"/v1/contactBooks/{news.uid.hex}"
    asked = [
        viewer.post("/v1/contactBooks", {"name": "Mine"}),
        viewer.ask("PATCH", path, {"name": "Mine"}),
        viewer.ask("DELETE", path),
        viewer.post(f"{path}/contacts", {"email": "a@example.com"}),
        viewer.post(f"{path}/contacts/bulk", [{"email": "a@example.com"}]),
        viewer.ask("DELETE", f"{path}/contacts/bulk", {"contactIds": ["a"]}),
    ]
    assert {answer.status for answer in asked} == {403}
    assert List.objects.get().name == "News"
    assert not ListMember.objects.exists()


def test_every_write_leaves_its_trail(client: ApiClient, workspace: Workspace) -> None:
    book = client.post("/v1/contactBooks", {"name": "News"}).body
    client.ask("PATCH", f"/v1/contactBooks/{book['id']}", {"emoji": "🦊"})
    client.ask("DELETE", f"/v1/contactBooks/{book['id']}")
    names = DomainEvent.objects.filter(workspace=workspace, object_type="list").order_by("pk")
    assert list(names.values_list("name", flat=True)) == ["list.created", "list.updated", "list.deleted"]
