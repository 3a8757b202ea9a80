"""Many contacts at once through the useSend dialect: all or none, in a handful of statements."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from postroom.core.contacts.models import ConsentChange, Contact, ListMember
from postroom.core.contacts.types import MemberStatus
from postroom.core.events.models import DomainEvent
from tests.api.usesend.books import Book, error, make_book

pytestmark = pytest.mark.django_db


@pytest.fixture
def book() -> Book:
    return make_book(variables=["Company"])


def many(count: int, **said: Any) -> list[dict[str, Any]]:
    return [{"email": f"p{number}@example.com", **said} for number in range(count)]


def test_many_contacts_are_added_and_updated_at_once(book: Book) -> None:
    ann = book.put("p1@example.com", firstName="Ann", properties={"a": "1"})
    entries = many(3, lastName="Lee", properties={"company": "Acme"})
    added = book.client.post(f"{book.path}/bulk", entries)
    assert (added.status, added.body) == (200, {"message": "Queued 3 contacts for processing", "count": 3})
    shown = {one["email"]: one for one in book.list_all()}
    assert sorted(shown) == [one["email"] for one in entries]
    assert (shown["p1@example.com"]["id"], shown["p1@example.com"]["firstName"]) == (ann, "Ann")
    assert shown["p1@example.com"]["properties"] == {"a": "1", "Company": "Acme"}
    assert shown["p2@example.com"]["properties"] == {"Company": "Acme"}
    assert {one["lastName"] for one in shown.values()} == {"Lee"}


def test_of_an_address_that_is_named_twice_the_later_entry_counts_and_a_no_stays(book: Book) -> None:
    entries = [
        {"email": "ann@example.com", "firstName": "Ann", "lastName": "Lee", "properties": {"a": "1", "b": "1"}},
        {"email": "ANN@example.com", "firstName": "Anna", "properties": {"b": "2"}, "subscribed": False},
        {"email": "ann@example.com", "subscribed": True},
    ]
    assert book.client.post(f"{book.path}/bulk", entries).body["count"] == 3
    (ann,) = book.list_all()
    assert (ann["firstName"], ann["lastName"], ann["subscribed"]) == ("Anna", "Lee", False)
    assert ann["properties"] == {"a": "1", "b": "2"}


def test_nobody_who_left_is_brought_back_and_whoever_is_to_leave_leaves(book: Book) -> None:
    book.put("p0@example.com", subscribed=False)
    book.put("p1@example.com")
    entries = [
        {"email": "p0@example.com", "subscribed": True},
        {"email": "p1@example.com", "subscribed": False},
        {"email": "p2@example.com", "subscribed": False},
        {"email": "p3@example.com"},
    ]
    assert book.client.post(f"{book.path}/bulk", entries).status == 200
    assert [one["subscribed"] for one in book.list_all()] == [False, False, False, True]
    states = ListMember.objects.order_by("contact__email").values_list("status", flat=True)
    assert list(states) == ["unsubscribed", "unsubscribed", "unsubscribed", "subscribed"]
    assert ConsentChange.objects.filter(contact__email="p2@example.com").get().state == MemberStatus.UNSUBSCRIBED


def test_one_bad_entry_refuses_all_and_is_named_by_its_number(book: Book) -> None:
    entries = [*many(5), {"email": "nonsense"}]
    refused = book.client.post(f"{book.path}/bulk", entries)
    assert (refused.status, refused.body["error"]["code"]) == (400, "BAD_REQUEST")
    assert refused.body["error"]["message"].startswith("Contact 5: 'nonsense' is not an e-mail address")
    unfit = book.client.post(f"{book.path}/bulk", [*many(2), {"email": None}])
    assert [one["path"] for one in unfit.body["error"]["issues"]] == [[2, "email"]]
    assert not Contact.objects.exists()


def test_none_at_all_is_accepted_and_more_than_a_thousand_are_not(book: Book) -> None:
    nobody = book.client.post(f"{book.path}/bulk", [])
    assert (nobody.status, nobody.body) == (200, {"message": "Queued 0 contacts for processing", "count": 0})
    refused = book.client.post(f"{book.path}/bulk", many(1_001))
    assert refused.status == 400
    (issue,) = refused.body["error"]["issues"]
    assert (issue["code"], issue["maximum"], issue["path"]) == ("too_big", 1_000, [])
    assert issue["message"] == "Array must contain at most 1000 element(s)"
    for body in ({}, {"email": "a@example.com"}, "text"):
        refused = book.client.post(f"{book.path}/bulk", body if isinstance(body, dict) else f'"{body}"')
        assert (refused.status, refused.body["error"]["name"]) == (400, "ZodError")
    assert not Contact.objects.exists()


def test_many_are_taken_out_and_ids_that_are_not_in_the_book_are_skipped(book: Book) -> None:
    other = make_book(workspace=book.workspace, name="Other")
    ids = [book.put(f"p{number}@example.com") for number in range(3)]
    elsewhere = other.put("q@example.com")
    path = f"{book.path}/bulk"
    removed = book.client.ask("DELETE", path, {"contactIds": [ids[0], ids[0], ids[2], elsewhere, "nonsense"]})
    assert (removed.status, removed.body) == (200, {"success": True, "count": 2})
    assert [one["id"] for one in book.list_all()] == [ids[1]]
    assert [one["id"] for one in other.list_all()] == [elsewhere]
    assert Contact.objects.count() == 4
    assert book.client.ask("DELETE", path, {"contactIds": [ids[0]]}).body == {"success": True, "count": 0}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_type"),
        ({"contactIds": []}, "too_small"),
        ({"contactIds": ["x"] * 1_001}, "too_big"),
        ({"contactIds": "x"}, "invalid_type"),
        ({"contactIds": [1]}, "invalid_type"),
    ],
)
def test_a_deletion_that_does_not_fit_is_refused(book: Book, body: dict[str, Any], code: str) -> None:
    ann = book.put("ann@example.com")
    refused = book.client.ask("DELETE", f"{book.path}/bulk", body)
    assert (refused.status, refused.body["error"]["issues"][0]["code"]) == (400, code)
    assert book.get(ann)["id"] == ann


def test_bulk_is_the_id_of_no_contact(book: Book) -> None:
    assert book.client.get(f"{book.path}/bulk").status == 404


def test_a_thousand_cost_as_many_statements_as_ten(book: Book) -> None:
    counts = []
    for number in (10, 1_000):
        with CaptureQueriesContext(connection) as seen:
            started = time.perf_counter()
            assert (
                book.client.post(f"{book.path}/bulk", many(number, firstName="Ann", properties={"a": "1"})).status
                == 200
            )
            elapsed = time.perf_counter() - started
        counts.append(len(seen))
    assert counts[1] <= counts[0] + 10
    assert counts[1] < 50
    assert elapsed < 2
    assert ListMember.objects.count() == 1_000


def test_five_thousand_are_listed_within_a_second(book: Book, capsys: pytest.CaptureFixture[str]) -> None:
    for start in range(0, 5_000, 1_000):
        entries = [
            {"email": f"p{number}@example.com", "firstName": "Ann", "properties": {"a": str(number)}}
            for number in range(start, start + 1_000)
        ]
        assert book.client.post(f"{book.path}/bulk", entries).status == 200
    times = []
    for _ in range(3):
        started = time.perf_counter()
        found = book.list_all()
        times.append(time.perf_counter() - started)
    with capsys.disabled():
        sys.stdout.write(f"\n5,000 contacts listed in {min(times) * 1000:.0f} ms ")
    assert len(found) == 5_000
    assert min(times) < 1


@pytest.mark.django_db(transaction=True)
def test_programs_that_add_the_same_people_at_once_add_each_once_and_ask_them_once() -> None:
    book = make_book(is_double_opt_in=True)

    def add(turn: int) -> int:
        entries = many(200, properties={"turn": str(turn)})
        try:
            return book.client.post(f"{book.path}/bulk", entries if turn % 2 else entries[::-1]).status
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(add, range(8)))
    assert statuses == [200] * 8
    members = ListMember.objects.filter(list=book.row)
    assert (Contact.objects.count(), members.count()) == (200, 200)
    assert set(members.values_list("status", "confirmation_count")) == {("pending", 1)}
    assert DomainEvent.objects.filter(name="list.confirmation_wanted").count() == 200


def test_the_book_of_somebody_else_takes_nobody(book: Book) -> None:
    theirs = make_book()
    refused = book.client.post(f"{theirs.path}/bulk", many(2))
    assert (refused.status, refused.body) == (404, error("NOT_FOUND", "Contact book not found"))
    assert not Contact.objects.exists()
