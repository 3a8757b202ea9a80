"""Bad input over useSend's door: every constraint of its contract violated one at a time, generated from the contract,
and what a schema cannot say. The answer names the very field, and nothing is done.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from postroom.core.campaigns.models import Campaign
from postroom.core.contacts.models import Contact, List, ListMember
from postroom.core.mail import services as mail
from postroom.core.mail.models import Domain, Message
from postroom.core.mail.types import Composition, NewTemplate
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM, Door, Role
from postroom.kit import clock
from tests.api.clients import ApiClient, Reply, make_client
from tests.api.usesend.violations import Operation, operations, spoiled, unfit_texts, violations
from tests.factories import NOW, make_workspace
from tests.stand_ins.domains import make_keys_once

pytestmark = pytest.mark.django_db

LETTER: Final[dict[str, Any]] = {"to": "a@example.com", "from": "b@acme.example", "subject": "Hi", "text": "Hi"}
DOCUMENT: Final = json.dumps({"type": "doc", "content": [{"type": "paragraph"}]})
WAY_OUT: Final = '<a href="{{usesend_unsubscribe_url}}">Leave</a>'
STRANGE: Final = frozenset({("sendEmail", "html"), ("sendEmailBatch", "html")})
"""What takes a value of any type; see docs/deviations.md and the contract's own words."""


class Ground:
    """One of everything that a path or a body may name, made through the door itself."""

    def __init__(self, workspace: Workspace) -> None:
        self.client = make_client(workspace=workspace, door=Door.USESEND, role=Role.ADMIN)
        composition = Composition(subject="Hi", body="<p>Hi</p>")
        template = mail.create_template(
            workspace=workspace, new=NewTemplate(name="Hi", composition=composition), actor=SYSTEM, now=NOW
        )
        later = (clock.now() + timedelta(days=1)).isoformat()
        self.template, self.later = template.uid.hex, later
        self.ids = {"id": self._make("/v1/domains", {"name": "acme.example", "region": "eu-west-1"}, "id")}
        self.ids["emailId"] = self._make("/v1/emails", {**LETTER, "scheduledAt": later}, "emailId")
        book = self._make("/v1/contactBooks", {"name": "Readers", "doubleOptInEnabled": False}, "id")
        self.ids["contactBookId"] = book
        contact = self._make(f"/v1/contactBooks/{book}/contacts", {"email": "ann@example.com"}, "contactId")
        self.ids["contactId"] = contact
        campaign = {"name": "N", "from": "b@acme.example", "subject": "Hi", "contactBookId": book, "html": WAY_OUT}
        self.ids["campaignId"] = self._make("/v1/campaigns", campaign, "id")

    def _make(self, path: str, body: Any, name: str) -> str:
        reply = self.client.post(path, body)
        return str(reply.body[name]) if reply.status == 200 else "0" * 32  # its own operation's test tells

    def address(self, operation: Operation, **changes: str) -> str:
        """Return the operation's path with its names filled in."""
        path = operation.path
        for one in operation.inputs("path"):
            path = path.replace(f"{{{one['name']}}}", changes.get(one["name"], self.ids[one["name"]]))
        return path

    def good_body(self, operation: Operation) -> Any:
        """Return a body with everything that the operation takes."""
        email = {
            **LETTER,
            "templateId": self.template,
            "variables": {"name": "Ann"},
            "replyTo": ["c@acme.example"],
            "cc": ["d@example.com"],
            "bcc": ["e@example.com"],
            "html": "<p>Hi</p>",
            "headers": {"name": "value"},
            "attachments": [{"filename": "a.txt", "content": b64encode(b"a").decode()}],
            "scheduledAt": self.later,
            "inReplyToId": self.ids["emailId"],
        }
        opt_in = json.dumps(
            {"type": "doc", "content": [{"type": "button", "attrs": {"text": "Yes", "url": "{{doubleOptInUrl}}"}}]}
        )
        book = {
            "name": "News",
            "emoji": "📬",
            "properties": {"name": "value"},
            "doubleOptInEnabled": True,
            "doubleOptInFrom": None,
            "doubleOptInSubject": "Sure?",
            "doubleOptInContent": opt_in,
        }
        contact = {"firstName": "Ann", "lastName": "Lee", "properties": {"name": "value"}, "subscribed": True}
        new_contact = {"email": "new@example.com", **contact}
        campaign = {
            "name": "N",
            "from": "b@acme.example",
            "subject": "Hi",
            "previewText": "Hello",
            "contactBookId": self.ids["contactBookId"],
            "content": DOCUMENT,
            "html": WAY_OUT,
            "replyTo": ["c@acme.example"],
            "cc": ["d@example.com"],
            "bcc": ["e@example.com"],
            "sendNow": False,
            "scheduledAt": self.later,
            "batchSize": 10,
        }
        bodies: dict[str, Any] = {
            "createDomain": {"name": "other.example", "region": "eu-west-1"},
            "sendEmail": email,
            "sendEmailBatch": [email],
            "updateEmail": {"scheduledAt": self.later},
            "createContactBook": book,
            "updateContactBook": book,
            "createContact": new_contact,
            "upsertContact": new_contact,
            "updateContact": contact,
            "bulkCreateContacts": [new_contact],
            "bulkDeleteContacts": {"contactIds": ["0" * 32]},
            "createCampaign": campaign,
            "scheduleCampaign": {"scheduledAt": self.later, "batchSize": 10},
        }
        return bodies[operation.id]


@pytest.fixture
def ground(monkeypatch: pytest.MonkeyPatch) -> Ground:
    make_keys_once(monkeypatch)
    return Ground(make_workspace())


def stored() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Message, Domain, List, Contact, ListMember, Campaign))


def ask(ground: Ground, operation: Operation, body: Any, address: str = "", **headers: str) -> Reply:
    return ground.client.ask(operation.method, address or ground.address(operation), body, **headers)


def find_issue(reply: Reply, path: tuple[str | int, ...]) -> Mapping[str, Any] | None:
    """Return the issue of that path, after a look at the shape of the whole answer."""
    if reply.status != 400 or not isinstance(reply.body, dict) or "issues" not in reply.body.get("error", {}):
        return None
    assert set(reply.body) == {"success", "error"}
    assert reply.body["success"] is False
    assert set(reply.body["error"]) == {"issues", "name"}
    assert reply.body["error"]["name"] == "ZodError"
    for issue in reply.body["error"]["issues"]:
        assert issue["code"]
        assert issue["message"]
        if issue["path"] == [*path]:
            return dict(issue)
    return None


WITH_BODY: Final = [one for one in operations().values() if one.body is not None]
WITH_INPUTS: Final = [one for one in operations().values() if one.inputs("path") or one.inputs("query")]


def test_the_contract_has_33_operations() -> None:
    assert len(operations()) == 33


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda operation: operation.id)
def test_every_constraint_of_a_body_is_told_at_its_field(ground: Ground, operation: Operation) -> None:
    body = ground.good_body(operation)
    assert ask(ground, operation, body).status == 200, ask(ground, operation, body)
    before, missed, seen = stored(), [], 0
    for violation in violations(operation.body or {}):
        field = next((name for name in violation.path if isinstance(name, str)), "")
        if (operation.id, field) in STRANGE:
            continue
        seen += 1
        reply = ask(ground, operation, json.dumps(spoiled(body, violation)))
        issue = find_issue(reply, violation.told_at)
        if issue is None or any(issue.get(name) != value for name, value in violation.issue.items()):
            missed.append(f"{violation}: wanted {dict(violation.issue)} at {violation.told_at}, got {reply}")
    assert not missed, "\n".join(missed)
    assert seen > 0
    assert stored() == before


@pytest.mark.parametrize("operation", WITH_INPUTS, ids=lambda operation: operation.id)
def test_every_constraint_of_a_path_and_a_query_is_told_at_its_name(ground: Ground, operation: Operation) -> None:
    body = ground.good_body(operation) if operation.body else None
    before, missed = stored(), []
    for one in operation.inputs("path"):
        for text in unfit_texts(one["schema"]):
            reply = ask(ground, operation, body, ground.address(operation, **{one["name"]: text}))
            if find_issue(reply, (one["name"],)) is None:
                missed.append(f"{one['name']} = {text!r} in the path: {reply}")
    for one in operation.inputs("query"):
        for text in unfit_texts(one["schema"]):
            reply = ask(ground, operation, body, f"{ground.address(operation)}?{urlencode({one['name']: text})}")
            if find_issue(reply, (one["name"],)) is None:
                missed.append(f"{one['name']} = {text!r} in the query: {reply}")
    assert not missed, "\n".join(missed)
    assert stored() == before


MALFORMED: Final = (
    "",
    "{",
    "nonsense",
    '{"to": }',
    '{"to": "a"',
    "\x00",
    b"\xff\xfe",
    b'{"to": "\xff"}',
    '{"subject": NaN}',
    '{"subject": "\\ud800"}',
    '{"subject": "\\u0000"}',
    "[" * 100_000,
    '{"to":' * 50_000,
    '{"batchSize": 1e999}',
)


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda operation: operation.id)
def test_what_is_no_json_is_said_to_be_none(ground: Ground, operation: Operation) -> None:
    before = stored()
    for octets in MALFORMED:
        reply = ask(ground, operation, octets)
        wanted = {"error": {"code": "BAD_REQUEST", "message": "Malformed JSON in request body"}}
        assert (reply.status, reply.body) == (400, wanted), octets[:40]
    assert stored() == before


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda operation: operation.id)
def test_a_body_of_another_type_counts_as_an_empty_object(ground: Ground, operation: Operation) -> None:
    body = json.dumps(ground.good_body(operation))
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        as_other = ask(ground, operation, body, Content_Type=content_type)
        as_empty = ask(ground, operation, {})
        assert as_other.status == as_empty.status, content_type
        assert as_other.status == 200 or as_other == as_empty, content_type
    assert ask(ground, operation, body, Content_Type="application/json; charset=utf-8").status == 200


BODILESS: Final = [one for one in operations().values() if one.body is None and one.method in ("POST", "PUT")]


@pytest.mark.parametrize("operation", BODILESS, ids=lambda operation: operation.id)
def test_what_takes_no_body_looks_at_none(ground: Ground, operation: Operation) -> None:
    unknown = ground.address(operation, id="1", emailId="0" * 32, campaignId="0" * 32)
    quiet = ask(ground, operation, None, unknown)
    assert quiet.status == 404
    for octets in MALFORMED:
        for content_type in ("application/json", "text/plain"):
            assert ask(ground, operation, octets, unknown, Content_Type=content_type) == quiet


@pytest.mark.parametrize("operation", operations().values(), ids=lambda operation: operation.id)
def test_unknown_methods_are_a_plain_404_after_the_key(ground: Ground, operation: Operation) -> None:
    address = ground.address(operation)
    known = {one.method for one in operations().values() if ground.address(one) == address}
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - known:
        assert ground.client.ask(method, address, {}) == Reply(404, "404 Not Found")
        assert ApiClient("/usesend/api").ask(method, address, {}).status == 401
        assert ApiClient("/usesend/api", "us_x_y").ask(method, address, {}).status == 403


def test_unknown_addresses_are_a_plain_404_after_the_key(ground: Ground) -> None:
    for path in ("/v1", "/v1/", "/v1/nothing", "/v2/emails", "/v1/emails/", "/v1/emails/x/y", "/v1/contactbooks", "/"):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            assert ground.client.ask(method, path, {}) == Reply(404, "404 Not Found"), path
            assert ApiClient("/usesend/api").ask(method, path, {}).status == 401


def test_one_bad_entry_in_a_batch_accepts_nothing(ground: Ground) -> None:
    before = stored()
    for bad in (
        {**LETTER, "to": 7},
        {**LETTER, "subject": ""},
        {**LETTER, "from": "nobody"},
        {**LETTER, "to": "nobody"},
        {**LETTER, "templateId": "0" * 32},
        {**LETTER, "inReplyToId": "0" * 32},
        {**LETTER, "attachments": [{"filename": "a", "content": "&"}]},
        {},
        7,
    ):
        for place in (0, 50, 99):
            entries: list[Any] = [{**LETTER, "subject": f"Letter {number}"} for number in range(100)]
            entries[place] = bad
            reply = ground.client.post("/v1/emails/batch", entries)
            assert reply.status == 400, bad
            if "issues" in reply.body["error"]:
                assert {issue["path"][0] for issue in reply.body["error"]["issues"]} == {place}
    assert stored() == before


def test_keys_of_256_characters_are_taken_and_of_257_refused(ground: Ground) -> None:
    refused = {"error": {"code": "BAD_REQUEST", "message": "Invalid Idempotency-Key length"}}
    for path, body in (("/v1/emails", LETTER), ("/v1/emails/batch", [LETTER])):
        before = stored()
        for key in ("k" * 257, "", "k" * 5000):
            assert ground.client.post(path, body, Idempotency_Key=key) == Reply(400, refused)
        assert stored() == before
        once = "k" * 255 + path[-1]
        first = ground.client.post(path, body, Idempotency_Key=once)
        assert first.status == 200
        assert ground.client.post(path, body, Idempotency_Key=once) == first


def test_times_without_an_offset_and_past_ones_are_taken(ground: Ground) -> None:
    for at in ("2030-01-31T09:30:00", "2030-01-31T09:30", "2030-01-31T09:30:00.123456", "2020-01-01T00:00:00Z"):
        for path, body in (("/v1/emails", {**LETTER, "scheduledAt": at}), ("/v1/emails/batch", [{**LETTER}])):
            assert ground.client.post(path, body).status == 200, at
    moved = ground.client.ask("PATCH", f"/v1/emails/{ground.ids['emailId']}", {"scheduledAt": "2030-01-31T09:30:00"})
    assert moved.status == 200


def test_unknown_things_are_not_found_each_by_its_name(ground: Ground) -> None:
    names = {"emailId": "Email", "campaignId": "Campaign", "contactId": "Contact", "id": "Domain"}
    for operation in operations().values():
        if not operation.inputs("path") or operation.id in ("upsertContact", "verifyDomain"):
            continue
        last = operation.inputs("path")[-1]["name"]
        unknown = "999999999" if last == "id" else "0" * 32
        body = ground.good_body(operation) if operation.body else None
        reply = ask(ground, operation, body, ground.address(operation, **{last: unknown}))
        assert reply.status == 404, (operation.id, reply)
        assert reply.body["error"]["code"] == "NOT_FOUND"
        said = reply.body["error"]["message"]
        if last in names:
            assert said == f"{names[last]} not found", operation.id
        else:
            assert said in ("Contact book not found", "Contact book not found for this team"), operation.id
    plain = ground.client.ask("PUT", "/v1/domains/999999999/verify", {})
    assert plain == Reply(404, {"error": "Domain not found"})
    upserted = ask(ground, operations()["upsertContact"], {"email": "x@example.com"})
    assert upserted.status == 200


def test_ids_of_any_shape_are_not_found(ground: Ground) -> None:
    for odd in ("a-b-c", "..%2f..", "%00%00%00", "é" * 10, "x" * 5000, "1e3", "0x10", "null", "[]", "'; --"):
        for path in ("/v1/emails/{}", "/v1/contactBooks/{}", "/v1/campaigns/{}", "/v1/contactBooks/{}/contacts"):
            reply = ground.client.get(path.format(odd))
            assert reply.status in (400, 404), (path, odd, reply)
        reply = ground.client.get(f"/v1/domains/{odd}")
        assert reply.status in (400, 404), (odd, reply)
    for number in ("0", "-1", "9" * 30, "9223372036854775808"):
        assert ground.client.get(f"/v1/domains/{number}").status == 404, number
