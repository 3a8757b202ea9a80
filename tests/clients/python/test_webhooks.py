"""Webhooks of the installation, verified by the client's own verifier."""

import json
from typing import Any

import pytest
from conftest import CALLED, FACTS, make_client, noting, received, until
from usesend import Webhooks, WebhookVerificationError

LETTER: dict[str, Any] = {"to": "ann@example.com", "from": "shop@acme.example", "subject": "Hook", "text": "Hi"}


@pytest.fixture(scope="module")
def verifier() -> Webhooks:
    made = make_client().webhooks(FACTS["webhook_secret"])
    noting(made, "webhooks.")
    return made


def of_email(email: str) -> list[dict[str, Any]]:
    return [call for call in received() if json.loads(call["body"])["data"].get("id") == email]


def type_of(call: dict[str, Any]) -> str:
    return str(json.loads(call["body"])["type"])


@pytest.fixture(scope="module")
def calls() -> list[dict[str, Any]]:
    """What came of one letter, from being taken to being delivered."""
    data, error = make_client().emails.send(LETTER)
    assert error is None
    wanted = {"email.queued", "email.sent", "email.delivered"}
    return until(lambda: (found := of_email(data["emailId"])) and wanted <= {*map(type_of, found)} and found)


def test_every_event_of_a_letter_is_told_and_verified(verifier: Webhooks, calls: list[dict[str, Any]]) -> None:
    for call in calls:
        assert verifier.verify(call["body"], headers=call["headers"]) is True
        event = verifier.construct_event(call["body"].encode(), headers=call["headers"])
        assert event["type"] == call["headers"]["X-UseSend-Event"]
        assert event["id"] == call["headers"]["X-UseSend-Call"]
        assert (event["version"], event["teamId"], event["attempt"]) == ("2026-01-18", FACTS["team"], 1)
        assert event["createdAt"].endswith("Z")
        assert (event["data"]["from"], event["data"]["to"]) == ("shop@acme.example", ["ann@example.com"])
        assert event["data"]["subject"] == "Hook"
        assert call["headers"]["User-Agent"] == "UseSend-Webhook/1.0"
        assert call["headers"]["X-UseSend-Retry"] == "false"
    assert len({call["headers"]["X-UseSend-Call"] for call in calls}) == len(calls)


def test_contacts_are_told_and_verified(verifier: Webhooks) -> None:
    client = make_client()
    book = client.contact_books.create({"name": "Heard", "doubleOptInEnabled": False})[0]["id"]
    contact = client.contacts.create(book, {"email": "heard@example.com"})[0]["contactId"]
    client.contacts.update(book, contact, {"firstName": "Ann"})
    client.contacts.delete(book_id=book, contact_id=contact)
    wanted = {"contact.created", "contact.updated", "contact.deleted"}
    found = until(lambda: (calls := of_email(contact)) and wanted <= {*map(type_of, calls)} and calls)
    for call in found:
        event = verifier.construct_event(call["body"], headers=call["headers"])
        assert (event["data"]["email"], event["data"]["contactBookId"]) == ("heard@example.com", book)


def test_what_is_forged_old_or_changed_is_refused(verifier: Webhooks, calls: list[dict[str, Any]]) -> None:
    headers, body = calls[0]["headers"], calls[0]["body"]
    stamp = int(headers["X-UseSend-Timestamp"])
    tries: list[tuple[str, str, dict[str, str], dict[str, Any]]] = [
        ("SIGNATURE_MISMATCH", body, headers, {"secret": "whsec_" + "0" * 64}),
        ("SIGNATURE_MISMATCH", body.replace("Hook", "Cook"), headers, {}),
        ("SIGNATURE_MISMATCH", body, {**headers, "X-UseSend-Timestamp": str(stamp + 1)}, {}),
        ("TIMESTAMP_OUT_OF_RANGE", body, {**headers, "X-UseSend-Timestamp": str(stamp - 3_600_000)}, {}),
        ("TIMESTAMP_OUT_OF_RANGE", body, headers, {"tolerance": 0}),
        ("MISSING_SIGNATURE", body, {}, {}),
    ]
    for code, said, heads, options in tries:
        assert verifier.verify(said, headers=heads, **options) is False
        with pytest.raises(WebhookVerificationError) as refused:
            verifier.construct_event(said, headers=heads, **options)
        assert refused.value.code == code
    assert {"webhooks", "webhooks.verify", "webhooks.construct_event"} <= CALLED
