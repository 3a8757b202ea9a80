"""Webhooks in useSend's words: every event that it declares, in the shape its clients know."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from postroom.api.usesend.events import WRITER
from postroom.core.webhooks.types import EVENTS, TEST_EVENT, CallToWrite
from postroom.kit.types import JSONObject

UID = UUID("019aa0c5-8f3c-7b21-8a52-0c64f5be0011")
NOW = datetime(2026, 11, 20, 12, 0, 0, 250_000, tzinfo=UTC)
SECRET = "whsec_" + "ab" * 32
DECLARED = {
    *("contact.created", "contact.updated", "contact.deleted"),
    *("domain.created", "domain.verified", "domain.updated", "domain.deleted"),
    *("email.queued", "email.sent", "email.delivery_delayed", "email.delivered", "email.bounced", "email.rejected"),
    *("email.rendering_failure", "email.complained", "email.failed", "email.cancelled", "email.suppressed"),
    *("email.opened", "email.clicked", "webhook.test"),
}
MAIL: JSONObject = {
    "message": str(UID),
    "at": "2026-11-20T11:59:00.5+00:00",
    "from": "Ann <ann@example.com>",
    "to": ["bo@example.net"],
    "subject": "Hello",
    "domain": 7,
    "batch": None,
    "contact": str(UID),
    "campaign": str(UID),
}
PERSON: JSONObject = {
    "contact": str(UID),
    "email": "bo@example.net",
    "first_name": "Bo",
    "last_name": "",
    "list": str(UID),
    "is_subscribed": True,
    "status": "subscribed",
    "properties": {"plan": "pro"},
    "created_at": "2026-11-20T11:00:00+00:00",
    "updated_at": "2026-11-20T11:30:00+01:00",
}
DOMAIN: JSONObject = {
    "id": 7,
    "name": "example.com",
    "region": "eu",
    "tracks_clicks": False,
    "tracks_opens": True,
    "state": "verified",
    "needed": ["dkim", "return_spf"],
    "records": {"dkim": "ok", "dmarc": "missing", "return_spf": "missing", "spf": "ok"},
    "created_at": "2026-11-20T11:00:00+00:00",
    "updated_at": None,
    "verified_at": "2026-11-20T11:00:00+00:00",
    "checked_at": None,
    "verify_wanted_at": None,
}


def written(type_: str, data: JSONObject, *, attempt: int = 1) -> tuple[dict[str, str], dict[str, Any], bytes]:
    """Return headers, body read, and body of a call."""
    call = CallToWrite(UID, type_, data, attempt, NOW, 12, UID, SECRET, NOW)
    made = WRITER.write(call)
    return dict(made.headers), json.loads(made.body), made.body


def test_it_tells_every_event_that_usesend_declares() -> None:
    assert set(WRITER.types.values()) == DECLARED
    assert set(WRITER.types) <= {*EVENTS, TEST_EVENT}


def test_the_envelope_and_the_signature_are_usesends() -> None:
    headers, said, body = written("email.sent", MAIL)
    assert {name: value for name, value in said.items() if name != "data"} == {
        "id": UID.hex,
        "type": "email.sent",
        "version": "2026-01-18",
        "createdAt": "2026-11-20T12:00:00.250Z",
        "teamId": 12,
        "attempt": 1,
    }
    assert said["data"] == {
        "id": UID.hex,
        "status": "SENT",
        "from": "Ann <ann@example.com>",
        "to": ["bo@example.net"],
        "occurredAt": "2026-11-20T11:59:00.500Z",
        "campaignId": UID.hex,
        "contactId": UID.hex,
        "domainId": 7,
        "subject": "Hello",
    }
    mac = hmac.new(SECRET.encode(), headers["X-UseSend-Timestamp"].encode() + b"." + body, hashlib.sha256)
    assert headers == {
        "User-Agent": "UseSend-Webhook/1.0",
        "X-UseSend-Signature": f"v1={mac.hexdigest()}",
        "X-UseSend-Timestamp": str(int(NOW.timestamp() * 1000)),
        "X-UseSend-Event": "email.sent",
        "X-UseSend-Call": UID.hex,
        "X-UseSend-Retry": "false",
    }
    again, said, _ = written("email.sent", MAIL, attempt=2)
    assert (again["X-UseSend-Retry"], said["attempt"]) == ("true", 2)


@pytest.mark.parametrize("type_", [one for one in EVENTS if one.startswith("email.")])
def test_the_status_of_mail_is_its_event(type_: str) -> None:
    _, said, _ = written(type_, MAIL)
    assert said["type"] == type_
    assert said["data"]["status"] == type_.removeprefix("email.").upper()


@pytest.mark.parametrize(
    ("facts", "bounce"),
    [
        (
            {"code": 550, "status": "5.1.1", "reason": "No such user"},
            {"type": "Permanent", "subType": "NoEmail", "message": "No such user"},
        ),
        (
            {"source": "resend", "status": "", "reason": "gone", "is_permanent": True},
            {"type": "Permanent", "subType": "General", "message": "gone"},
        ),
        ({"code": 0, "status": "4.2.2", "reason": ""}, {"type": "Transient", "subType": "MailboxFull"}),
        ({"source": "resend", "status": "", "reason": ""}, {"type": "Undetermined", "subType": "General"}),
    ],
)
def test_a_bounce_says_how_bad_it_is(facts: JSONObject, bounce: JSONObject) -> None:
    _, said, _ = written("email.bounced", {**MAIL, **facts})
    assert said["data"]["bounce"] == bounce


def test_opens_clicks_failures_and_suppressions_say_more() -> None:
    hit: JSONObject = {"agent": "Firefox", "ip": "192.0.2.1", "url": "https://example.com/a"}
    at = "2026-11-20T11:59:00.500Z"
    assert written("email.opened", {**MAIL, **hit})[1]["data"]["open"] == {
        "timestamp": at,
        "userAgent": "Firefox",
        "ip": "192.0.2.1",
    }
    assert written("email.clicked", {**MAIL, **hit})[1]["data"]["click"] == {
        "timestamp": at,
        "userAgent": "Firefox",
        "ip": "192.0.2.1",
        "url": "https://example.com/a",
    }
    assert written("email.failed", {**MAIL, "reason": "No"})[1]["data"]["failed"] == {"reason": "No"}
    for reason, word in (("hard_bounce", "Bounce"), ("complaint", "Complaint"), ("manual", "Manual")):
        suppression = written("email.suppressed", {**MAIL, "reason": reason})[1]["data"]["suppression"]
        assert suppression == {"type": word, "reason": reason}


def test_a_contact_is_a_person_in_a_book() -> None:
    _, said, _ = written("member.created", PERSON)
    assert said["type"] == "contact.created"
    assert said["data"] == {
        "id": UID.hex,
        "email": "bo@example.net",
        "contactBookId": UID.hex,
        "subscribed": True,
        "properties": {"plan": "pro"},
        "firstName": "Bo",
        "lastName": None,
        "createdAt": "2026-11-20T11:00:00.000Z",
        "updatedAt": "2026-11-20T10:30:00.000Z",
    }


def test_a_domain_is_told_as_the_api_shows_it() -> None:
    _, said, _ = written("domain.verified", DOMAIN)
    data = said["data"]
    assert (data["id"], data["name"], data["status"], data["dkimStatus"]) == (7, "example.com", "SUCCESS", "SUCCESS")
    assert (data["clickTracking"], data["openTracking"], data["dmarcAdded"]) == (False, True, False)
    assert (data["spfDetails"], data["subdomain"], data["region"]) == ("PENDING", "", "eu")
    assert data["updatedAt"] == data["createdAt"] == "2026-11-20T11:00:00.000Z"


def test_a_test_names_the_webhook() -> None:
    _, said, _ = written(TEST_EVENT, {})
    assert said["data"] == {"test": True, "webhookId": UID.hex, "sentAt": "2026-11-20T12:00:00.250Z"}


def test_nothing_is_said_of_somebody_erased() -> None:
    assert written("member.updated", {})[1]["data"] == {}
