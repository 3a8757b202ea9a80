"""Contact books and contacts by the client."""

from collections.abc import Iterator
from typing import Any

import pytest
from conftest import FACTS, until
from usesend import UseSend


@pytest.fixture
def book(client: UseSend) -> Iterator[str]:
    data, error = client.contact_books.create({"name": "Readers", "doubleOptInEnabled": False})
    assert error is None
    yield data["id"]
    client.contact_books.delete(data["id"])


def emails(client: UseSend, book: str, **query: Any) -> list[str]:
    data, error = client.contacts.list(book, **query)
    assert error is None
    return [contact["email"] for contact in data]


def test_a_book_is_made_changed_and_deleted(client: UseSend) -> None:
    made, error = client.contact_books.create({"name": "Letters", "emoji": "📬", "properties": {"tone": "warm"}})
    assert error is None
    assert (made["name"], made["emoji"], made["properties"]) == ("Letters", "📬", {"tone": "warm"})
    assert (made["teamId"], made["doubleOptInEnabled"]) == (FACTS["team"], True)
    assert made["doubleOptInSubject"] == "Please confirm your subscription"
    assert "-" not in made["id"]
    changed, error = client.contactBooks.update(made["id"], {"name": "News", "properties": {"tone": "cool"}})
    assert error is None
    assert (changed["name"], changed["emoji"], changed["properties"]) == ("News", "📬", {"tone": "cool"})
    found, _ = client.contact_books.get(made["id"])
    assert found["_count"] == {"contacts": 0}
    assert made["id"] in [one["id"] for one in client.contact_books.list()[0]]
    data, error = client.contact_books.delete(made["id"])
    wanted = {"id": made["id"], "success": True, "message": "Contact book deleted successfully"}
    assert (data, error) == (wanted, None)
    assert client.contact_books.get(made["id"])[1]["code"] == "NOT_FOUND"


def test_a_contact_is_added_looked_up_changed_and_deleted(client: UseSend, book: str) -> None:
    new = {"email": "ann@example.com", "firstName": "Ann", "properties": {"plan": "pro"}}
    made, error = client.contacts.create(book, new)
    assert error is None
    contact = made["contactId"]
    assert "-" not in contact
    found, error = client.contacts.get(book, contact)
    assert error is None
    assert (found["id"], found["email"], found["firstName"]) == (contact, "ann@example.com", "Ann")
    assert (found["contactBookId"], found["subscribed"], found["properties"]) == (book, True, {"plan": "pro"})
    assert client.contacts.update(book, contact, {"lastName": "Lee", "properties": {"city": "Oslo"}})[1] is None
    again, error = client.contacts.upsert(book, "whatever", {"email": "ann@example.com", "firstName": "Anna"})
    assert (again, error) == ({"contactId": contact}, None)
    found, _ = client.contacts.get(book, contact)
    assert (found["firstName"], found["lastName"]) == ("Anna", "Lee")
    assert found["properties"] == {"plan": "pro", "city": "Oslo"}
    assert client.contacts.delete(book_id=book, contact_id=contact) == ({"success": True}, None)
    assert client.contacts.get(book, contact) == (None, {"code": "NOT_FOUND", "message": "Contact not found"})


def test_only_a_patch_subscribes_again(client: UseSend, book: str) -> None:
    made, _ = client.contacts.create(book, {"email": "bob@example.com", "subscribed": False})
    client.contacts.create(book, {"email": "bob@example.com", "subscribed": True})
    assert client.contacts.get(book, made["contactId"])[0]["subscribed"] is False
    assert client.contacts.update(book, made["contactId"], {"subscribed": True})[1] is None
    assert client.contacts.get(book, made["contactId"])[0]["subscribed"] is True


def test_contacts_are_listed_by_page_address_and_id(client: UseSend, book: str) -> None:
    people = [f"p{number}@example.com" for number in range(5)]
    ids = [client.contacts.create(book, {"email": email})[0]["contactId"] for email in people]
    assert sorted(emails(client, book)) == people
    pages = [emails(client, book, page=page, limit=2) for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert sorted(email for page in pages for email in page) == people
    assert sorted(emails(client, book, emails="p1@example.com,p3@example.com")) == ["p1@example.com", "p3@example.com"]
    assert sorted(emails(client, book, ids=f"{ids[0]},{ids[4]}")) == ["p0@example.com", "p4@example.com"]


def test_many_are_added_and_deleted_at_once(client: UseSend, book: str) -> None:
    people = [{"email": f"many{number}@example.com", "firstName": f"M{number}"} for number in range(300)]
    data, error = client.contacts.bulk_create(book, people)
    assert (data, error) == ({"message": "Queued 300 contacts for processing", "count": 300}, None)
    assert until(lambda: len(emails(client, book)) == 300)
    ids = [one["id"] for one in client.contacts.list(book)[0]][:200]
    assert client.contacts.bulk_delete(book, {"contactIds": [*ids, "0" * 32]}) == (
        {"success": True, "count": 200},
        None,
    )
    assert len(emails(client, book)) == 100


def test_who_must_confirm_is_not_subscribed_yet(client: UseSend) -> None:
    book = client.contact_books.create({"name": "Asked twice"})[0]["id"]
    made, error = client.contacts.create(book, {"email": "carol@example.com"})
    assert error is None
    assert client.contacts.get(book, made["contactId"])[0]["subscribed"] is False
    client.contact_books.delete(book)
