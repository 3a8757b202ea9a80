"""People through the CRM dialect: listed, looked up, stored and changed."""

from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from postroom.api.shared.keys import KEYS
from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import ConsentChange, Contact, ContactWorkspace
from postroom.core.contacts.types import FieldType, NewField
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import AuditEntry, Workspace
from postroom.core.workspaces.types import SYSTEM, Door, Role
from tests.api.clients import ApiClient, Reply, make_client
from tests.factories import NOW, make_contact, make_user, make_workspace

pytestmark = pytest.mark.django_db

NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"
FIELDS = {
    "id",
    "email",
    "firstName",
    "lastName",
    "language",
    "globallyUnsubscribed",
    "createdByWorkspaceId",
    "customFields",
    "communicationPreferences",
    "syncConfigurationId",
    "syncedFields",
    "createdAt",
    "updatedAt",
}


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def sister(workspace: Workspace) -> Workspace:
    """Another workspace of the same organization."""
    return make_workspace(organization=workspace.organization)


@pytest.fixture
def client(workspace: Workspace) -> ApiClient:
    return make_client(workspace=workspace, door=Door.CRM)


def created(reply: Reply) -> dict[str, Any]:
    assert reply.status == 201, reply
    return dict(reply.body)


def test_a_person_is_stored_and_read_back(client: ApiClient, workspace: Workspace) -> None:
    body = {"email": " Ann@Example.COM ", "firstName": "Ann", "customFields": {"shoe": 42, "tags": ["a", None]}}
    person = created(client.post("/contacts", body))
    assert set(person) == FIELDS
    assert (person["email"], person["firstName"], person["lastName"]) == ("ann@example.com", "Ann", None)
    assert person["customFields"] == {"shoe": 42, "tags": ["a", None]}
    assert (person["globallyUnsubscribed"], person["communicationPreferences"]) == (False, {})
    assert client.get(f"/contacts/{person['id']}") == Reply(200, person)
    assert ContactWorkspace.objects.filter(workspace=workspace, contact__uid=UUID(person["id"])).exists()
    entry = AuditEntry.objects.latest("id")
    assert (entry.act, entry.door) == ("contact.created", "crm")
    assert entry.api_key is not None
    assert entry.user == entry.api_key.created_by


@pytest.mark.parametrize("body", [{}, {"email": None, "firstName": " "}, {"customFields": {"a": 1}}])
def test_somebody_without_address_and_name_is_refused(client: ApiClient, body: dict[str, Any]) -> None:
    reply = client.post("/contacts", body)
    assert reply == Reply(400, {"error": "At least one of email, firstName and lastName is required."})


def test_one_problem_is_told_alone_and_several_in_lines(client: ApiClient) -> None:
    one = client.post("/contacts", {"email": "ann@example.com", "firstName": 5})
    assert one == Reply(400, {"error": "firstName: Input should be a valid string"})
    two = client.post("/contacts", {"email": 1, "firstName": 5})
    assert (two.status, two.body["error"]) == (400, "Validation failed.")
    assert [line.partition(":")[0] for line in two.body["details"]] == ["email", "firstName"]


def test_what_is_no_address_or_does_not_fit_its_field_is_refused(client: ApiClient, workspace: Workspace) -> None:
    contacts.create_field(
        workspace=workspace, new=NewField(label="Shoe", key="shoe", type=FieldType.NUMBER), actor=SYSTEM, now=NOW
    )
    assert client.post("/contacts", {"email": "nobody"}).status == 400
    reply = client.post("/contacts", {"firstName": "Ann", "customFields": {"shoe": "large"}})
    assert reply.status == 400
    assert "Shoe" in reply.body["error"]
    assert Contact.objects.count() == 0


def test_a_known_address_is_a_conflict_that_names_the_record(client: ApiClient, sister: Workspace) -> None:
    ann = make_contact(workspace=sister, email="ann@example.com")
    reply = client.post("/contacts", {"email": "ANN@example.com", "firstName": "Ann"})
    assert (reply.status, reply.body["existsInNetwork"], reply.body["contactId"]) == (409, True, str(ann.uid))
    assert client.get(f"/contacts/{ann.uid}").status == 404
    linked = client.post("/contacts", {"email": "ANN@example.com", "addToWorkspace": True})
    assert (linked.status, linked.body["id"]) == (200, str(ann.uid))
    assert client.get(f"/contacts/{ann.uid}").status == 200
    again = client.post("/contacts", {"email": "ann@example.com", "addToWorkspace": True})
    assert (again.status, again.body["id"]) == (200, str(ann.uid))
    assert client.post("/contacts", {"email": "ann@example.com"}).status == 409
    assert client.post("/contacts", {"email": "bob@example.com", "addToWorkspace": True}).status == 201


def test_another_tenants_people_are_no_conflict(client: ApiClient) -> None:
    make_contact(workspace=make_workspace(), email="ann@example.com")
    assert client.post("/contacts", {"email": "ann@example.com"}).status == 201


def test_a_change_leaves_alone_what_it_does_not_name_and_null_empties(client: ApiClient) -> None:
    body = {"email": "ann@example.com", "firstName": "Ann", "lastName": "Lee", "customFields": {"a": 1, "b": 2}}
    person = created(client.post("/contacts", body))
    changed = client.put(f"/contacts/{person['id']}", {"lastName": None, "language": "de", "customFields": {"b": 3}})
    assert changed.status == 200
    assert set(changed.body) == FIELDS
    wanted = {"lastName": None, "language": "de", "customFields": {"b": 3}, "updatedAt": changed.body["updatedAt"]}
    assert changed.body == {**person, **wanted}
    assert client.put(f"/contacts/{person['id']}", {"email": None}).body["email"] is None
    nameless = client.put(f"/contacts/{person['id']}", {"firstName": None})
    assert nameless.status == 400


def test_another_contacts_address_is_a_conflict_and_nothing_of_the_change_is_kept(client: ApiClient) -> None:
    created(client.post("/contacts", {"email": "bob@example.com"}))
    ann = created(client.post("/contacts", {"email": "ann@example.com"}))
    reply = client.put(f"/contacts/{ann['id']}", {"firstName": "Ann", "email": "bob@example.com"})
    assert reply.status == 409
    assert client.get(f"/contacts/{ann['id']}").body == ann


def test_opting_out_and_in_again_are_kept_with_their_proof(client: ApiClient) -> None:
    ann = created(client.post("/contacts", {"email": "ann@example.com"}))
    for is_out in (True, True, False):
        reply = client.put(f"/contacts/{ann['id']}", {"globallyUnsubscribed": is_out})
        assert (reply.status, reply.body["globallyUnsubscribed"]) == (200, is_out)
    proofs = ConsentChange.objects.order_by("id").values_list("state", "door", "source")
    assert list(proofs) == [("opted_out_all", "crm", "crm API"), ("opted_in_all", "crm", "crm API")]


def test_preferences_are_the_whole_of_a_persons_word(client: ApiClient, workspace: Workspace) -> None:
    for slug in ("news", "events"):
        contacts.create_category(workspace=workspace, name=slug, slug=slug, actor=SYSTEM, now=NOW)
    ann = created(client.post("/contacts", {"email": "ann@example.com"}))
    news, events = f"{workspace.uid}:news", f"{workspace.uid}:events"
    word = {news: "subscribed", events: "unsubscribed"}
    said = client.put(f"/contacts/{ann['id']}", {"communicationPreferences": word})
    assert (said.status, said.body["communicationPreferences"]) == (200, word)
    fewer = client.put(f"/contacts/{ann['id']}", {"communicationPreferences": {"news": "subscribed"}})
    assert fewer.body["communicationPreferences"] == {news: "subscribed"}
    states = ConsentChange.objects.order_by("id").values_list("category__slug", "state")
    assert sorted(states) == [("events", "absent"), ("events", "withdrawn"), ("news", "granted")]
    assert list(states)[-1] == ("events", "absent")


@pytest.mark.parametrize("key", ["gossip", f"{NOBODY}:news"])
def test_a_word_on_no_category_is_refused_and_changes_nothing(
    client: ApiClient, workspace: Workspace, key: str
) -> None:
    contacts.create_category(workspace=workspace, name="news", slug="news", actor=SYSTEM, now=NOW)
    ann = created(client.post("/contacts", {"email": "ann@example.com"}))
    body = {"firstName": "Ann", "communicationPreferences": {key: "subscribed"}}
    assert client.put(f"/contacts/{ann['id']}", body).status == 400
    assert client.get(f"/contacts/{ann['id']}").body == ann


def test_a_page_has_the_newest_first_with_their_tags_and_the_total(client: ApiClient, workspace: Workspace) -> None:
    ids = [created(client.post("/contacts", {"firstName": f"Reader {number}"}))["id"] for number in range(3)]
    contacts.tag_contact(workspace=workspace, uid=UUID(ids[2]), tag_name="lead", actor=SYSTEM, now=NOW)
    reply = client.get("/contacts?pageSize=2")
    assert reply.status == 200
    assert {name: reply.body[name] for name in ("total", "page", "pageSize")} == {"total": 3, "page": 1, "pageSize": 2}
    assert [one["id"] for one in reply.body["contacts"]] == [ids[2], ids[1]]
    assert [one["tags"] for one in reply.body["contacts"]] == [["lead"], []]
    assert set(reply.body["contacts"][0]) == FIELDS | {"tags"}
    assert [one["id"] for one in client.get("/contacts?pageSize=2&page=2").body["contacts"]] == [ids[0]]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("sortBy=firstName&sortOrder=asc", ["Ann", "Bob", "Cid"]),
        ("sortBy=email&sortOrder=desc", ["Ann", "Bob", "Cid"]),
        ("sortBy=createdAt&sortOrder=asc", ["Bob", "Ann", "Cid"]),
        ("sortBy=shoe&sortOrder=up", ["Cid", "Ann", "Bob"]),
        ("search=B%40EX", ["Ann"]),
        ("search=bo", ["Bob"]),
        ("page=none&pageSize=x", ["Cid", "Ann", "Bob"]),
        ("page=999999999999999999999999", []),
    ],
)
def test_a_list_is_sorted_searched_and_cut_as_asked(client: ApiClient, query: str, names: list[str]) -> None:
    for name, email in (("Bob", "a@example.com"), ("Ann", "b@example.com"), ("Cid", None)):
        created(client.post("/contacts", {"firstName": name, "email": email}))
    found = [one["firstName"] for one in client.get(f"/contacts?{query}").body["contacts"]]
    assert found == names


def test_a_list_takes_the_same_few_statements_whatever_its_length(
    client: ApiClient, workspace: Workspace, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get("/contacts")
    for size in (1, 20):
        for _ in range(size):
            person = make_contact(workspace=workspace)
            contacts.tag_contact(workspace=workspace, uid=person.uid, tag_name="lead", actor=SYSTEM, now=NOW)
        KEYS.forget()
        with django_assert_num_queries(9):
            assert client.get("/contacts").status == 200


def test_a_header_names_the_workspace_before_the_query_and_the_key(
    client: ApiClient, workspace: Workspace, sister: Workspace
) -> None:
    user = make_user(workspace=workspace, role=Role.MEMBER)
    workspaces.add_member(
        user=user, organization=sister.organization, workspace=sister, role=Role.MEMBER, actor=SYSTEM, now=NOW
    )
    both = make_client(workspace=workspace, door=Door.CRM, user=user)
    make_contact(workspace=sister, email="sister@example.com")
    make_contact(workspace=workspace, email="own@example.com")

    def emails(path: str, **headers: str) -> list[str]:
        return [one["email"] for one in both.get(path, **headers).body["contacts"]]

    assert emails("/contacts") == ["own@example.com"]
    assert emails(f"/contacts?workspaceId={sister.uid}") == ["sister@example.com"]
    assert emails(f"/contacts?workspaceId={sister.uid}", X_Workspace_Id=str(workspace.uid)) == ["own@example.com"]
    assert emails("/contacts", X_Workspace_Id=str(sister.uid)) == ["sister@example.com"]


def test_a_workspace_of_strangers_is_answered_like_one_that_is_none(client: ApiClient, sister: Workspace) -> None:
    replies = [
        client.ask(method, path, body, X_Workspace_Id=name)
        for name in (str(make_workspace().uid), str(sister.uid), NOBODY, "none")
        for method, path, body in (
            ("GET", "/contacts", None),
            ("POST", "/contacts", {"firstName": "Ann"}),
            ("GET", f"/contacts/{NOBODY}", None),
            ("PUT", f"/contacts/{NOBODY}", {"firstName": "Ann"}),
        )
    ]
    assert {reply.status for reply in replies} == {403}
    assert len({reply.body["error"] for reply in replies}) == 1


def test_a_viewer_reads_one_person_and_nothing_more(workspace: Workspace) -> None:
    viewer = make_client(workspace=workspace, door=Door.CRM, role=Role.VIEWER)
    ann = make_contact(workspace=workspace)
    assert viewer.get(f"/contacts/{ann.uid}").status == 200
    assert viewer.get("/contacts").status == 403
    assert viewer.post("/contacts", {"firstName": "Ann"}).status == 403
    assert viewer.put(f"/contacts/{ann.uid}", {"firstName": "Ann"}).status == 403


def test_without_a_good_key_nothing_is_said(client: ApiClient, workspace: Workspace) -> None:
    other_door = make_client(workspace=workspace, door=Door.USESEND)
    for path in ("/contacts", f"/contacts/{NOBODY}"):
        assert ApiClient(client.prefix).get(path) == Reply(401, {"error": "Unauthorized"})
        for secret in ("pai_" + "0" * 64, other_door.secret):
            assert ApiClient(client.prefix, secret).get(path) == Reply(401, {"error": "Invalid API key"})


def test_no_cache_on_the_way_keeps_an_answer() -> None:
    assert Client().get("/crm/api/contacts").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("word", [NOBODY, "17", "none"])
def test_an_unknown_person_is_not_found(client: ApiClient, word: str) -> None:
    assert client.get(f"/contacts/{word}") == Reply(404, {"error": "Contact not found."})
    assert client.put(f"/contacts/{word}", {"firstName": "Ann"}).status == 404


@pytest.mark.parametrize(("method", "path"), [("GET", "/nonsense"), ("PATCH", "/contacts"), ("GET", "")])
def test_an_unknown_route_or_method_is_not_found(client: ApiClient, method: str, path: str) -> None:
    assert client.ask(method, path) == Reply(404, {"error": "Not found."})


@pytest.mark.parametrize(
    "body",
    [
        "{",
        '{"firstName": "\\u0000"}',
        '{"firstName": "A", "customFields": {"a": NaN}}',
        '{"firstName": "A", "customFields": {"a": 1e999}}',
        "",
    ],
)
def test_a_body_that_cannot_be_read_is_refused(client: ApiClient, body: str) -> None:
    assert client.post("/contacts", body).status == 400


def test_a_body_that_is_no_object_is_refused(client: ApiClient) -> None:
    assert client.post("/contacts", ["Ann"]).status == 400
