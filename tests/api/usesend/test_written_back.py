"""S11 over useSend's door: what was read, written back as it is, changes nothing but when it was last changed."""

import json
from typing import Any, Final

import pytest

from postroom.core.workspaces.types import Door
from tests.api.clients import ApiClient, make_client
from tests.factories import make_workspace

pytestmark = pytest.mark.django_db

BOOKS: Final = (
    {"name": "Plain"},
    {"name": "  Röd & <b>Grön</b> 📬 ", "emoji": "👩‍👩‍👧", "properties": {"a b": "1", "": "", "ключ": "значение"}},
    {"name": "Typed", "variables": ["Plan", "city_2"], "doubleOptInEnabled": False, "doubleOptInFrom": None},
    {"name": "Asked", "doubleOptInSubject": "Sure, {{firstName}}?"},
)
PEOPLE: Final = (
    {"email": "ann@example.com"},
    {"email": "Bob+News@Example.com", "firstName": " B ", "lastName": 'O\'Hara "Bo"', "subscribed": False},
    {
        "email": "cy@example.com",
        "firstName": "",
        "properties": {"a b": "1", "Plan": "pro", "": "x", "ключ": "значение"},
    },
    {"email": "dé@exämple.com", "lastName": "李", "properties": {"long": "x" * 5000}},
)


@pytest.fixture
def client() -> ApiClient:
    return make_client(workspace=make_workspace(), door=Door.USESEND)


def unchanged(client: ApiClient, path: str, method: str) -> None:
    """Write the answer of a GET back, then compare it with another."""
    before = client.get(path).body
    reply = client.ask(method, path, json.dumps(writable(before)))
    assert reply.status == 200, (method, before, reply)
    after = client.get(path).body
    assert {**after, "updatedAt": ""} == {**before, "updatedAt": ""}, method


def writable(read: dict[str, Any]) -> dict[str, Any]:
    """Leave out what has no value: of a name that is not there, nothing is said."""
    return {name: value for name, value in read.items() if value is not None or name == "doubleOptInFrom"}


@pytest.mark.parametrize("new", BOOKS, ids=lambda new: new["name"])
def test_a_book_written_back_stays_as_it_was(client: ApiClient, new: dict[str, Any]) -> None:
    made = client.post("/v1/contactBooks", new)
    assert made.status == 200, made
    unchanged(client, f"/v1/contactBooks/{made.body['id']}", "PATCH")


@pytest.mark.parametrize("new", PEOPLE, ids=lambda new: new["email"])
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_contact_written_back_stays_as_it_was(client: ApiClient, new: dict[str, Any], method: str) -> None:
    book = client.post("/v1/contactBooks", {"name": "Readers", "doubleOptInEnabled": False, "variables": ["plan"]})
    made = client.post(f"/v1/contactBooks/{book.body['id']}/contacts", new)
    assert made.status == 200, made
    unchanged(client, f"/v1/contactBooks/{book.body['id']}/contacts/{made.body['contactId']}", method)
