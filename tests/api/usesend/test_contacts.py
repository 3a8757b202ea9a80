"""Contacts of a book through the useSend dialect: added, updated, looked up, listed and taken out."""

from typing import Any
from unittest.mock import ANY

import pytest
from pytest_django import DjangoAssertNumQueries

from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import ConsentChange, Contact, ContactWorkspace, ListMember
from postroom.core.contacts.types import MemberStatus, OptOutScope, SuppressionReason, SuppressionScope
from postroom.core.events.models import DomainEvent
from postroom.core.workspaces.models import AuditEntry
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from tests.api.usesend.books import Book, error, make_book
from tests.factories import NOW, make_actor, make_contact, make_list, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def book() -> Book:
    return make_book(variables=["Company"])


def member(book: Book, email: str) -> ListMember:
    return ListMember.objects.get(list=book.row, contact__email=email)


def suppress(book: Book, email: str) -> None:
    contacts.suppress_address(
        workspace=book.workspace,
        email=email,
        scope=SuppressionScope.WORKSPACE,
        reason=SuppressionReason.HARD_BOUNCE,
        detail="",
        actor=SYSTEM,
        now=NOW,
    )


def test_a_new_contact_is_subscribed_and_known_by_address(book: Book) -> None:
    said = {"firstName": "Ann", "lastName": "Lee", "properties": {"company": "Acme", "Plan": "gold"}}
    ann = book.put("Ann@Example.com", **said)
    assert book.get(ann) == {
        "id": ann,
        "email": "ann@example.com",
        "firstName": "Ann",
        "lastName": "Lee",
        "subscribed": True,
        "properties": {"Company": "Acme", "Plan": "gold"},
        "contactBookId": book.row.uid.hex,
        "createdAt": ANY,
        "updatedAt": ANY,
    }
    assert Contact.objects.get().uid.hex == ann
    assert ContactWorkspace.objects.get().workspace == book.workspace


def test_the_same_address_again_updates_and_leaves_what_it_does_not_say(book: Book) -> None:
    ann = book.put("ann@example.com", firstName="Ann", lastName="Lee", properties={"a": "1", "b": "2"})
    before = book.get(ann)
    assert book.put("ANN@example.com", firstName="Anna", properties={"b": "3", "COMPANY": "Acme"}) == ann
    after = book.get(ann)
    assert (after["firstName"], after["lastName"]) == ("Anna", "Lee")
    assert after["properties"] == {"a": "1", "b": "3", "Company": "Acme"}
    assert after["createdAt"] == before["createdAt"]
    assert after["updatedAt"] > before["updatedAt"]
    assert book.put("ann@example.com") == ann
    assert book.get(ann) == after
    assert ListMember.objects.count() == 1


def test_put_does_not_look_at_the_id_in_its_path(book: Book) -> None:
    ann = book.put("ann@example.com")
    put = book.client.put(f"{book.path}/{ann}", {"email": "bob@example.com", "firstName": "Bob"})
    assert put.status == 200
    assert put.body["contactId"] != ann
    assert book.get(put.body["contactId"])["firstName"] == "Bob"
    assert book.client.put(f"{book.path}/nonsense", {"email": "bob@example.com"}).body == put.body
    short = book.client.put(f"{book.path}/ab", {"email": "bob@example.com"})
    assert (short.status, short.body["error"]["issues"][0]["code"]) == (400, "too_small")


def test_a_person_whom_the_organization_knows_is_only_put_into_the_book(book: Book) -> None:
    other = make_workspace(organization=book.workspace.organization)
    ann = make_contact(workspace=other, email="ann@example.com", first_name="Ann")
    assert book.put("ann@example.com") == ann.uid.hex
    assert book.get(ann.uid.hex)["firstName"] == "Ann"
    assert ContactWorkspace.objects.filter(contact=ann).count() == 2


def test_whoever_is_not_to_be_subscribed_is_not(book: Book) -> None:
    ann = book.put("ann@example.com", subscribed=False)
    assert book.get(ann)["subscribed"] is False
    assert member(book, "ann@example.com").status == MemberStatus.UNSUBSCRIBED
    bob = book.put("bob@example.com")
    book.put("bob@example.com", subscribed=False)
    assert book.get(bob)["subscribed"] is False
    words = ConsentChange.objects.filter(contact__uid=bob).order_by("pk")
    assert [(one.state, one.door, one.source) for one in words] == [
        ("subscribed", "usesend", "usesend API"),
        ("unsubscribed", "usesend", "usesend API"),
    ]


def test_adding_again_brings_nobody_back_and_a_change_does(book: Book) -> None:
    ann = book.put("ann@example.com", subscribed=False)
    book.put("ann@example.com", subscribed=True)
    book.put("ann@example.com")
    assert book.get(ann)["subscribed"] is False
    assert book.patch(ann, subscribed=True).body == {"contactId": ann}
    assert book.get(ann)["subscribed"] is True


def test_a_change_says_only_what_it_mentions_and_an_empty_name_takes_the_name_away(book: Book) -> None:
    ann = book.put("ann@example.com", firstName="Ann", lastName="Lee", properties={"a": "1"})
    assert book.patch(ann, lastName="", properties={"b": "2", "company": "Acme"}).status == 200
    after = book.get(ann)
    assert (after["firstName"], after["lastName"]) == ("Ann", None)
    assert after["properties"] == {"a": "1", "b": "2", "Company": "Acme"}
    assert book.patch(ann).status == 200
    assert book.get(ann) == after


@pytest.mark.parametrize("is_everything", [True, False])
def test_a_change_brings_nobody_back_who_wants_none_of_the_workspaces_mail(book: Book, is_everything: bool) -> None:
    ann = book.put("ann@example.com")
    scope = OptOutScope(is_everything=is_everything)
    key = Contact.objects.get().pk
    contacts.opt_out(workspace=book.workspace, contact_id=key, scope=scope, source="x", actor=SYSTEM, now=clock.now())
    assert book.get(ann)["subscribed"] is False
    book.patch(ann, subscribed=False)
    assert book.patch(ann, subscribed=True).status == 200
    assert book.get(ann)["subscribed"] is False
    assert member(book, "ann@example.com").status == MemberStatus.UNSUBSCRIBED


def test_a_suppressed_address_is_not_subscribed_whatever_is_said(book: Book) -> None:
    ann = book.put("ann@example.com")
    suppress(book, "ann@example.com")
    assert book.get(ann)["subscribed"] is False
    assert [one["subscribed"] for one in book.list_all()] == [False]
    book.patch(ann, subscribed=True)
    assert book.get(ann)["subscribed"] is False


def test_who_left_and_was_taken_out_is_not_subscribed_when_added_again(book: Book) -> None:
    ann, bob = book.put("ann@example.com"), book.put("bob@example.com")
    contacts.opt_out(
        workspace=book.workspace,
        contact_id=Contact.objects.get(uid=ann).pk,
        scope=OptOutScope(list_ids=(book.row.pk,)),
        source="link",
        actor=SYSTEM,
        now=clock.now(),
    )
    assert {book.delete(one).status for one in (ann, bob)} == {200}
    assert (book.put("ann@example.com", subscribed=True), book.put("bob@example.com")) == (ann, bob)
    assert [one["subscribed"] for one in book.list_all()] == [False, True]
    book.patch(ann, subscribed=True)
    assert book.get(ann)["subscribed"] is True


def test_a_contact_that_is_taken_out_is_gone_from_the_book_and_stays_a_person(book: Book) -> None:
    ann = book.put("ann@example.com")
    assert (book.delete(ann).status, book.delete(ann).status) == (200, 404)
    assert book.list_all() == []
    assert book.client.get(f"{book.path}/{ann}").body == error("NOT_FOUND", "Contact not found")
    assert Contact.objects.get().uid.hex == ann


def test_the_answer_to_a_deletion_says_success(book: Book) -> None:
    assert book.delete(book.put("ann@example.com")).body == {"success": True}


def test_contacts_are_listed_in_one_order_and_in_pages(book: Book) -> None:
    ids = [book.put(f"p{number}@example.com") for number in range(5)]
    assert [one["id"] for one in book.list_all()] == ids
    assert [one["id"] for one in book.list_all("?page=2&limit=2")] == ids[2:4]
    assert [one["id"] for one in book.list_all("?page=1.0&limit=2.9")] == ids[:2]
    assert [one["id"] for one in book.list_all("?limit=0")] == ids[:1]
    assert [one["id"] for one in book.list_all("?page=-3&limit=1e300")] == ids
    assert book.list_all("?page=99999999999999999999") == []
    refused = book.client.get(f"{book.path}?page=two")
    issue = {"code": "invalid_type", "expected": "number", "received": "nan", "path": ["page"], "message": ANY}
    assert (refused.status, refused.body["error"]["issues"]) == (400, [issue])


def test_filters_narrow_down_together_and_what_they_cannot_read_is_nobodys(book: Book) -> None:
    ids = [book.put(f"p{number}@example.com") for number in range(4)]
    found = book.list_all("?emails=P1@example.com,%20p3@example.com,nobody@example.com,nonsense")
    assert [one["id"] for one in found] == [ids[1], ids[3]]
    assert [one["id"] for one in book.list_all(f"?ids={ids[3]},{ids[0]},nonsense")] == [ids[0], ids[3]]
    assert [one["id"] for one in book.list_all(f"?emails=p1@example.com,p2@example.com&ids={ids[2]},{ids[3]}")] == [
        ids[2]
    ]
    assert len(book.list_all("?emails=&ids=")) == 4
    assert book.list_all("?emails=nonsense") == []


def test_people_of_other_books_are_not_in_this_one(book: Book) -> None:
    bob = make_contact(workspace=book.workspace, email="bob@example.com")
    make_list(workspace=book.workspace, members=[bob])
    assert book.list_all("?emails=bob@example.com") == []
    for method in ("GET", "PATCH", "DELETE"):
        body = {"firstName": "Mine"} if method == "PATCH" else None
        answer = book.client.ask(method, f"{book.path}/{bob.uid.hex}", body)
        assert (answer.status, answer.body) == (404, error("NOT_FOUND", "Contact not found")), method
    assert ListMember.objects.filter(contact=bob).count() == 1


def test_a_contact_of_another_workspace_is_not_found_in_ones_own_book(book: Book) -> None:
    theirs = make_book()
    ann = theirs.put("ann@example.com")
    assert book.client.get(f"{book.path}/{ann}").body == error("NOT_FOUND", "Contact not found")
    assert (book.patch(ann, firstName="Mine").status, book.delete(ann).status) == (404, 404)
    assert book.list_all(f"?ids={ann}") == []
    assert book.client.ask("DELETE", f"{book.path}/bulk", {"contactIds": [ann]}).body["count"] == 0
    assert book.put("ann@example.com") != ann
    assert theirs.get(ann)["firstName"] is None


def test_whoever_was_erased_can_be_added_and_is_never_subscribed(book: Book) -> None:
    ann = book.put("ann@example.com", properties={"a": "1"})
    uid = Contact.objects.get().uid
    contacts.erase_contact(workspace=book.workspace, uid=uid, actor=make_actor(), now=clock.now())
    again = book.client.post(book.path, {"email": "ann@example.com"})
    assert (again.status, again.body["error"]["message"]) == (400, "This person has just been erased.")
    contacts.finish_erasure(contact_id=Contact.objects.get().pk, clock=clock.now)
    anew = book.put("ann@example.com", subscribed=True)
    assert anew != ann
    assert book.patch(anew, subscribed=True).status == 200
    assert (book.get(anew)["subscribed"], book.get(anew)["properties"]) == (False, {})


def test_the_book_of_somebody_else_or_of_nobody_is_not_found(book: Book) -> None:
    theirs = make_list(workspace=make_workspace(), members=[])
    ann = book.put("ann@example.com")
    for word in (theirs.uid.hex, "nonsense"):
        path = f"/v1/contactBooks/{word}/contacts"
        asked = [
            book.client.get(path),
            book.client.post(path, {"email": "a@example.com"}),
            book.client.post(f"{path}/bulk", [{"email": "a@example.com"}]),
            book.client.ask("DELETE", f"{path}/bulk", {"contactIds": [ann]}),
            book.client.get(f"{path}/{ann}"),
            book.client.put(f"{path}/{ann}", {"email": "a@example.com"}),
            book.client.ask("PATCH", f"{path}/{ann}", {}),
            book.client.ask("DELETE", f"{path}/{ann}"),
        ]
        assert [one.status for one in asked] == [404] * 8
        assert {str(one.body) for one in asked} == {str(error("NOT_FOUND", "Contact book not found"))}
    assert Contact.objects.count() == 1


def test_a_person_who_was_merged_is_found_by_the_old_id_and_the_old_address(book: Book) -> None:
    ann = book.put("ann@example.com", properties={"a": "1"})
    old = book.put("ann@work.example", properties={"b": "2"})
    contacts.merge_contacts(
        workspace=book.workspace,
        survivor_uid=Contact.objects.get(uid=ann).uid,
        other_uid=Contact.objects.get(uid=old).uid,
        choices={},
        actor=make_actor(),
        now=clock.now(),
    )
    assert book.get(old)["id"] == ann
    assert book.put("ann@work.example", properties={"c": "3"}) == ann
    assert book.get(ann)["properties"] == {"a": "1", "b": "2", "c": "3"}
    assert [one["id"] for one in book.list_all("?emails=ann@work.example")] == [ann]


@pytest.mark.parametrize("email", ["nonsense", "", "a@b", "a b@example.com", "x" * 300 + "@example.com"])
def test_what_is_no_address_is_refused(book: Book, email: str) -> None:
    refused = book.client.post(book.path, {"email": email})
    assert (refused.status, refused.body["error"]["code"]) == (400, "BAD_REQUEST")
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    "said",
    [
        {"firstName": "x" * 201},
        {"properties": {str(number): "x" * 1_000 for number in range(70)}},
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_stored(book: Book, said: dict[str, Any]) -> None:
    refused = book.client.post(book.path, {"email": "ann@example.com", **said})
    assert (refused.status, refused.body["error"]["code"]) == (400, "BAD_REQUEST")
    assert not Contact.objects.exists()


def test_properties_cannot_grow_without_end(book: Book) -> None:
    ann = book.put("ann@example.com", properties={"a": "x" * 40_000})
    assert book.client.post(book.path, {"email": "ann@example.com", "properties": {"b": "x" * 40_000}}).status == 400
    assert book.patch(ann, properties={"b": "x" * 40_000}).status == 400
    assert list(book.get(ann)["properties"]) == ["a"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, ["email"]),
        ({"email": 1}, ["email"]),
        ({"email": "a@example.com", "firstName": None}, ["firstName"]),
        ({"email": "a@example.com", "lastName": 7}, ["lastName"]),
        ({"email": "a@example.com", "properties": {"a": None}}, ["properties", "a"]),
        ({"email": "a@example.com", "properties": "x"}, ["properties"]),
        ({"email": "a@example.com", "subscribed": "true"}, ["subscribed"]),
        ({"email": "a@example.com", "subscribed": None}, ["subscribed"]),
    ],
)
def test_a_body_that_does_not_fit_is_told_in_zods_words(book: Book, body: dict[str, Any], path: list[str]) -> None:
    refused = book.client.post(book.path, body)
    assert (refused.status, refused.body["error"]["name"]) == (400, "ZodError")
    assert [one["path"] for one in refused.body["error"]["issues"]] == [path]
    assert not Contact.objects.exists()


def test_what_became_of_people_is_told_without_saying_who_they_are(book: Book) -> None:
    ann = book.put("ann@example.com", firstName="Ann", properties={"a": "1"})
    book.put("ann@example.com", firstName="Anna", properties={"a": "2"})
    book.put("ann@example.com")
    book.delete(ann)
    told = DomainEvent.objects.filter(contact_id=Contact.objects.get().pk).order_by("pk")
    assert [(one.name, one.data.get("changed", one.data.get("status"))) for one in told] == [
        ("contact.created", None),
        ("contact.list_status_changed", "subscribed"),
        ("contact.updated", ["first_name", "properties"]),
        ("contact.removed_from_list", None),
    ]
    assert {one.data["list_id"] for one in told} == {book.row.pk}
    assert not any(word in str(one.data) for one in told for word in ("ann", "Ann"))
    acts = AuditEntry.objects.filter(door="usesend", object_type="list").order_by("pk")
    assert [(one.act, one.after) for one in acts[1:]] == [
        ("list.contacts_put", {"added": 1, "changed": 0}),
        ("list.contacts_put", {"added": 0, "changed": 1}),
        ("list.contacts_put", {"added": 0, "changed": 0}),
        ("list.contacts_removed", {"removed": 1}),
    ]


def test_a_read_takes_few_statements_however_many_contacts_there_are(
    book: Book, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    body = [{"email": f"p{number}@example.com"} for number in range(60)]
    assert book.client.post(f"{book.path}/bulk", body).status == 200
    with django_assert_max_num_queries(9):
        assert len(book.list_all()) == 60
