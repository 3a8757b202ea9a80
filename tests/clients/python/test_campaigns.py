"""Campaigns by the client: made, scheduled, paused, resumed, sent."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import until
from usesend import UseSend

DOCUMENT = {
    "type": "doc",
    "content": [
        {"type": "heading", "attrs": {"level": 1}, "content": [{"type": "text", "text": "News"}]},
        {
            "type": "paragraph",
            "content": [
                {"type": "text", "text": "Hello "},
                {"type": "variable", "attrs": {"id": "firstName", "fallback": "you"}},
            ],
        },
        {"type": "button", "attrs": {"text": "Leave", "url": "{{usesend_unsubscribe_url}}"}},
    ],
}


@pytest.fixture
def book(client: UseSend) -> Iterator[str]:
    book = client.contact_books.create({"name": "Readers", "doubleOptInEnabled": False})[0]["id"]
    for number in range(3):
        client.contacts.create(book, {"email": f"reader{number}@example.com", "firstName": f"R{number}"})
    yield book
    client.contact_books.delete(book)


def create(client: UseSend, book: str, **changes: Any) -> dict[str, Any]:
    new = {"name": "March", "from": "News <news@acme.example>", "subject": "Hi {{firstName}}", "contactBookId": book}
    data, error = client.campaigns.create({**new, "content": json.dumps(DOCUMENT), **changes})
    assert error is None
    return data


def read(client: UseSend, campaign: str) -> dict[str, Any]:
    data, error = client.campaigns.get(campaign)
    assert error is None
    return data


def test_a_campaign_goes_to_everybody_of_its_book(client: UseSend, book: str) -> None:
    made = create(client, book, replyTo="help@acme.example", batchSize=2)
    assert (made["status"], made["contactBookId"], made["replyTo"]) == ("DRAFT", book, ["help@acme.example"])
    assert (made["batchSize"], made["total"]) == (2, 0)
    assert client.campaigns.schedule(made["id"], {}) == ({"success": True}, None)
    assert until(lambda: read(client, made["id"])["status"] == "SENT")
    assert until(lambda: read(client, made["id"])["delivered"] == 3)
    assert read(client, made["id"])["total"] == 3


def test_a_campaign_is_scheduled_paused_and_resumed(client: UseSend, book: str) -> None:
    html = '<p>Hi {{firstName,fallback=you}} <a href="{{usesend_unsubscribe_url}}">Leave</a></p>'
    made = create(client, book, html=html)
    scheduled = client.campaigns.schedule(made["id"], {"scheduledAt": "tomorrow 9am", "batchSize": 10})
    assert scheduled == ({"success": True}, None)
    found = read(client, made["id"])
    assert (found["status"], found["batchSize"]) == ("SCHEDULED", 10)
    assert found["scheduledAt"].endswith("T09:00:00.000Z")
    assert client.campaigns.pause(made["id"]) == ({"success": True}, None)
    assert read(client, made["id"])["status"] == "PAUSED"
    assert client.campaigns.resume(made["id"]) == ({"success": True}, None)
    assert read(client, made["id"])["status"] == "SCHEDULED"


def test_a_campaign_may_be_sent_as_it_is_made(client: UseSend, book: str) -> None:
    made = create(client, book, sendNow=True)
    assert until(lambda: read(client, made["id"])["delivered"] == 3)


def test_what_cannot_be_sent_is_refused(client: UseSend, book: str) -> None:
    new = {"name": "March", "from": "news@acme.example", "subject": "Hi", "contactBookId": book}
    said = "Campaign must include an unsubscribe link before sending"
    assert client.campaigns.create({**new, "html": "<p>Hi</p>"})[1] == {"code": "BAD_REQUEST", "message": said}
    unknown = {**new, "contactBookId": "0" * 32, "html": "{{usesend_unsubscribe_url}}"}
    error = client.campaigns.create(unknown)[1]
    assert error == {"code": "BAD_REQUEST", "message": "Contact book not found"}
    assert client.campaigns.get("0" * 32)[1] == {"code": "NOT_FOUND", "message": "Campaign not found"}
