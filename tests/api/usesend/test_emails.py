"""E-mail through the useSend dialect: sent, repeated, refused and looked up."""

from datetime import timedelta
from typing import Any

import pytest

from postroom.core.contacts import services as contacts
from postroom.core.contacts.types import SuppressionReason, SuppressionScope
from postroom.core.mail import services as mail
from postroom.core.mail.models import Acceptance, AttachedFile, Message
from postroom.core.mail.services.attachments import load_attachments
from postroom.core.mail.services.letters import freeze_letters
from postroom.core.mail.types import Composition, EventType, Hit, MessageStatus, NewSender, NewTemplate, Provider
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM, Door, Role
from postroom.kit import clock
from tests.api.clients import ApiClient, make_client
from tests.factories import NOW, make_workspace

pytestmark = pytest.mark.django_db

LETTER: dict[str, Any] = {
    "to": "Ann <ann@example.com>",
    "from": "Shop <shop@acme.example>",
    "subject": "Your order {{ number }}",
    "html": '<p>Thanks for <a href="https://acme.example/o?a=1&amp;b=2">it</a>, {{ name }} {% if %}</p>',
}


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> ApiClient:
    return make_client(workspace=workspace, door=Door.USESEND)


def issues(body: Any) -> list[dict[str, Any]]:
    assert body["success"] is False
    assert body["error"]["name"] == "ZodError"
    return list(body["error"]["issues"])


def error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def sender_at(workspace: Workspace, email: str) -> int:
    new = NewSender(name=email, provider=Provider.SMTP, from_email=email, config={"host": "mx.example", "port": 25})
    return mail.create_sender(workspace=workspace, new=new, actor=SYSTEM, now=NOW).pk


def test_a_letter_is_queued_as_it_is_written_and_can_be_looked_up(client: ApiClient, workspace: Workspace) -> None:
    sent = client.post("/v1/emails", {**LETTER, "cc": ["bob@example.com"], "replyTo": "Help <help@acme.example>"})
    assert sent.status == 200
    message = Message.objects.get()
    assert sent.body == {"emailId": message.uid.hex}
    assert (message.status, message.message_class, message.sender.provider) == ("queued", "transactional", "sandbox")
    found = client.get(f"/v1/emails/{sent.body['emailId']}")
    assert found.status == 200
    shown = found.body
    assert (shown["id"], shown["teamId"]) == (message.uid.hex, workspace.pk)
    assert (shown["to"], shown["cc"], shown["bcc"]) == (["Ann <ann@example.com>"], ["bob@example.com"], [])
    assert (shown["from"], shown["replyTo"]) == ("Shop <shop@acme.example>", ["Help <help@acme.example>"])
    assert shown["subject"] == "Your order {{ number }}"
    assert "{{ name }} {% if %}" in shown["html"]
    assert 'href="https://acme.example/o?a=1&amp;b=2"' in shown["html"]
    assert "<img" not in shown["html"]
    assert shown["emailEvents"] == []
    assert shown["createdAt"] == shown["updatedAt"]
    assert shown["createdAt"].endswith("Z")
    assert len(shown["createdAt"]) == len("2026-01-31T09:30:00.000Z")


def test_what_happened_is_told_in_the_dialects_words(client: ApiClient) -> None:
    sent = client.post("/v1/emails", LETTER).body["emailId"]
    now = clock.now() + timedelta(minutes=1)
    message = Message.objects.get()
    freeze_letters(rows=[message], now=now)
    Message.objects.update(status=MessageStatus.SENT, sent_at=now, delivered_at=now)
    later = now + timedelta(minutes=1)
    hits = [
        Hit(key="o", type=EventType.OPENED, message_id=message.pk, at=later, agent="Mail"),
        Hit(key="c", type=EventType.CLICKED, message_id=message.pk, at=later, link_index=0, ip="192.0.2.0"),
        Hit(key="u", type=EventType.UNSUBSCRIBED, message_id=message.pk, at=later),
    ]
    mail.store_hits(hits=hits)
    mail.apply_hits(now=later, limit=10)
    shown = client.get(f"/v1/emails/{sent}").body
    assert [event["status"] for event in shown["emailEvents"]] == ["SENT", "DELIVERED", "OPENED", "CLICKED"]
    assert {event["emailId"] for event in shown["emailEvents"]} == {sent}
    assert shown["emailEvents"][2]["data"] == {"userAgent": "Mail"}
    assert shown["emailEvents"][3]["data"] == {
        "url": "https://acme.example/o?a=1&b=2",
        "ip": "192.0.2.0",
        "isBot": True,
    }
    assert shown["updatedAt"] == shown["emailEvents"][3]["createdAt"]


def test_a_suppressed_address_is_answered_with_an_id_and_a_suppressed_event(
    client: ApiClient, workspace: Workspace
) -> None:
    contacts.suppress_address(
        workspace=workspace,
        email="ann@example.com",
        scope=SuppressionScope.WORKSPACE,
        reason=SuppressionReason.HARD_BOUNCE,
        detail="",
        actor=SYSTEM,
        now=NOW,
    )
    sent = client.post("/v1/emails", LETTER)
    assert sent.status == 200
    (event,) = client.get(f"/v1/emails/{sent.body['emailId']}").body["emailEvents"]
    assert event["status"] == "SUPPRESSED"
    assert event["data"]["error"] == "All TO recipients are suppressed. No emails to send."


def test_a_batch_has_an_id_for_each_entry_in_order(client: ApiClient) -> None:
    letters = [{**LETTER, "subject": f"Letter {number}"} for number in range(5)]
    reply = client.post("/v1/emails/batch", letters)
    assert reply.status == 200
    ids = [entry["emailId"] for entry in reply.body["data"]]
    assert [client.get(f"/v1/emails/{one}").body["subject"] for one in ids] == [one["subject"] for one in letters]


def test_one_bad_entry_refuses_the_whole_batch(client: ApiClient) -> None:
    reply = client.post("/v1/emails/batch", [LETTER, {**LETTER, "from": "not an address"}])
    assert (reply.status, reply.body["error"]["code"]) == (400, "BAD_REQUEST")
    reply = client.post("/v1/emails/batch", [LETTER, {"to": "a@example.com"}])
    assert reply.status == 400
    assert issues(reply.body)[0]["path"] == [1, "from"]
    assert Message.objects.count() == 0


def test_an_empty_and_an_overfull_batch_are_refused(client: ApiClient) -> None:
    empty = client.post("/v1/emails/batch", [])
    assert (empty.status, empty.body) == (400, error("BAD_REQUEST", "No emails provided for bulk send"))
    full = client.post("/v1/emails/batch", [LETTER] * 101)
    (issue,) = issues(full.body)
    assert (full.status, issue["code"], issue["path"]) == (400, "too_big", [])
    assert issue["message"] == "Cannot send more than 100 emails in a single bulk request"


def test_a_repeated_request_sends_once_and_is_answered_the_same(client: ApiClient) -> None:
    again = dict(reversed(LETTER.items()))
    first = client.post("/v1/emails", LETTER, Idempotency_Key="order-1")
    second = client.post("/v1/emails", again, Idempotency_Key="order-1")
    assert first == second
    assert Message.objects.count() == 1
    batch = client.post("/v1/emails/batch", [LETTER, LETTER], Idempotency_Key="order-2")
    assert client.post("/v1/emails/batch", [LETTER, LETTER], Idempotency_Key="order-2") == batch
    assert Message.objects.count() == 3


def test_a_key_used_for_another_request_is_a_conflict(client: ApiClient) -> None:
    client.post("/v1/emails", LETTER, Idempotency_Key="order-1")
    reply = client.post("/v1/emails", {**LETTER, "subject": "Other"}, Idempotency_Key="order-1")
    wanted = error("NOT_UNIQUE", "Idempotency-Key already used with a different payload")
    assert (reply.status, reply.body) == (409, wanted)
    assert client.post("/v1/emails/batch", [LETTER, LETTER], Idempotency_Key="order-1").status == 409


def test_a_refused_request_leaves_its_key_free_and_a_day_later_every_key_is(client: ApiClient) -> None:
    assert client.post("/v1/emails", {**LETTER, "to": "nobody"}, Idempotency_Key="k").status == 400
    first = client.post("/v1/emails", LETTER, Idempotency_Key="k")
    assert first.status == 200
    Acceptance.objects.update(created_at=clock.now() - timedelta(hours=24))
    second = client.post("/v1/emails", {**LETTER, "subject": "Other"}, Idempotency_Key="k")
    assert second.status == 200
    assert second.body != first.body


def test_a_key_belongs_to_its_workspace(client: ApiClient) -> None:
    stranger = make_client(workspace=make_workspace(), door=Door.USESEND)
    first = client.post("/v1/emails", LETTER, Idempotency_Key="k")
    second = stranger.post("/v1/emails", LETTER, Idempotency_Key="k")
    assert first.body != second.body


@pytest.mark.parametrize("key", ["", "k" * 257])
def test_an_empty_or_endless_key_is_refused(client: ApiClient, key: str) -> None:
    reply = client.post("/v1/emails", LETTER, Idempotency_Key=key)
    assert (reply.status, reply.body) == (400, error("BAD_REQUEST", "Invalid Idempotency-Key length"))


@pytest.mark.parametrize(
    ("changes", "issue"),
    [
        (
            {"from": ...},
            {
                "code": "invalid_type",
                "expected": "string",
                "received": "undefined",
                "path": ["from"],
                "message": "Required",
            },
        ),
        ({"from": 5}, {"code": "invalid_type", "expected": "string", "received": "number", "path": ["from"]}),
        ({"to": ...}, {"code": "invalid_union", "path": ["to"], "message": "Invalid input"}),
        ({"to": 5}, {"code": "invalid_union", "path": ["to"], "message": "Invalid input"}),
        ({"cc": ["a@example.com", None]}, {"code": "invalid_union", "path": ["cc"]}),
        ({"subject": ""}, {"code": "too_small", "minimum": 1, "type": "string", "path": ["subject"]}),
        ({"subject": ...}, {"code": "custom", "path": []}),
        ({"html": ...}, {"code": "custom", "path": []}),
        ({"html": "false"}, {"code": "custom", "path": []}),
        ({"scheduledAt": "soon"}, {"code": "invalid_string", "validation": "datetime", "path": ["scheduledAt"]}),
        ({"headers": {"X-A": ""}}, {"code": "too_small", "path": ["headers", "X-A"]}),
        ({"headers": []}, {"code": "invalid_type", "expected": "object", "received": "array", "path": ["headers"]}),
        ({"attachments": [{"filename": "a"}]}, {"path": ["attachments", 0, "content"]}),
        ({"attachments": [{"filename": "", "content": "YQ=="}]}, {"path": ["attachments", 0, "filename"]}),
        ({"attachments": [{"filename": "a", "content": "Y!"}]}, {"path": ["attachments", 0, "content"]}),
        ({"attachments": 11 * [{"filename": "a", "content": "YQ=="}]}, {"code": "too_big", "path": ["attachments"]}),
    ],
)
def test_an_unfit_letter_is_told_where_and_why(
    client: ApiClient, changes: dict[str, Any], issue: dict[str, Any]
) -> None:
    letter = {name: value for name, value in {**LETTER, **changes}.items() if value is not ...}
    reply = client.post("/v1/emails", letter)
    assert reply.status == 400
    (found,) = issues(reply.body)
    assert issue.items() <= found.items()
    assert Message.objects.count() == 0


@pytest.mark.parametrize("body", ["{", '{"to": NaN}', '{"to": "\\u0000"}', '{"to": "\\ud800"}', "[" * 100_000, b"\xff"])
def test_a_body_that_is_no_json_to_be_stored_is_refused(client: ApiClient, body: str | bytes) -> None:
    reply = client.post("/v1/emails", body)
    assert (reply.status, reply.body) == (400, error("BAD_REQUEST", "Malformed JSON in request body"))


def test_a_body_of_another_type_counts_as_empty(client: ApiClient) -> None:
    reply = client.post("/v1/emails", "to=ann", Content_Type="text/plain")
    assert reply.status == 400
    assert [issue["path"] for issue in issues(reply.body)] == [["to"], ["from"]]


def test_a_body_beyond_the_limit_is_refused(client: ApiClient) -> None:
    reply = client.post("/v1/emails", {**LETTER, "html": "x" * 6 * 1024 * 1024})
    assert (reply.status, reply.body["error"]["code"]) == (400, "BAD_REQUEST")


def test_the_account_of_the_domain_sends_and_its_exact_address_is_preferred(
    client: ApiClient, workspace: Workspace
) -> None:
    desk, shop = sender_at(workspace, "desk@acme.example"), sender_at(workspace, "shop@acme.example")
    client.post("/v1/emails", LETTER)
    client.post("/v1/emails", {**LETTER, "from": "news@acme.example"})
    assert list(Message.objects.order_by("id").values_list("sender_id", flat=True)) == [shop, desk]
    reply = client.post("/v1/emails", {**LETTER, "from": "shop@elsewhere.example"})
    assert reply.status == 400
    assert "elsewhere.example" in reply.body["error"]["message"]


def test_a_time_to_come_waits_and_one_without_offset_is_utc(client: ApiClient) -> None:
    at = (clock.now() + timedelta(days=1)).replace(microsecond=0, tzinfo=None)
    client.post("/v1/emails", {**LETTER, "scheduledAt": at.isoformat()})
    found = Message.objects.get().next_attempt_at
    assert found is not None
    assert found.replace(tzinfo=None) == at


def test_an_answer_names_the_message_it_answers(client: ApiClient) -> None:
    first = client.post("/v1/emails", LETTER).body["emailId"]
    client.post("/v1/emails", {**LETTER, "inReplyToId": first})
    one, two = Message.objects.order_by("id")
    assert two.headers == {"In-Reply-To": one.message_id_header, "References": one.message_id_header}
    assert client.post("/v1/emails", {**LETTER, "inReplyToId": "f" * 32}).status == 400


def test_a_template_of_the_team_alone_is_enough_and_is_filled(client: ApiClient, workspace: Workspace) -> None:
    new = NewTemplate(name="Hi", composition=Composition(subject="Hi {{ name }}", body="<p>{{ name }}</p>"))
    template = mail.create_template(workspace=workspace, new=new, actor=SYSTEM, now=NOW)
    letter = {"to": "ann@example.com", "from": "shop@acme.example", "variables": {"name": "Ann & Co"}}
    sent = client.post("/v1/emails", {**letter, "templateId": template.uid.hex}).body["emailId"]
    shown = client.get(f"/v1/emails/{sent}").body
    assert shown["subject"] == "Hi Ann & Co"
    assert "<p>Ann &amp; Co</p>" in shown["html"]
    stranger = make_client(workspace=make_workspace(), door=Door.USESEND)
    assert stranger.post("/v1/emails", {**letter, "templateId": template.uid.hex}).status == 400


def test_keys_are_asked_for_before_anything_else(client: ApiClient) -> None:
    nobody, wrong = ApiClient(client.prefix), ApiClient(client.prefix, "us_wrong_key")
    crm = make_client(workspace=make_workspace(), door=Door.CRM)
    for path in ("/v1/emails", "/v1/nonsense"):
        reply = nobody.post(path, "{")
        assert (reply.status, reply.body) == (401, error("UNAUTHORIZED", "No Authorization header provided"))
        for stranger in (wrong, ApiClient(client.prefix, crm.secret)):
            reply = stranger.post(path, "{")
            assert (reply.status, reply.body) == (403, error("FORBIDDEN", "Invalid API token"))


def test_a_viewers_key_looks_but_does_not_send(workspace: Workspace, client: ApiClient) -> None:
    viewer = make_client(workspace=workspace, door=Door.USESEND, role=Role.VIEWER)
    assert viewer.post("/v1/emails", LETTER).status == 403
    sent = client.post("/v1/emails", LETTER).body["emailId"]
    assert viewer.get(f"/v1/emails/{sent}").status == 200


@pytest.mark.parametrize("word", ["f" * 32, "cuiwqdj74rygf74", "F" * 32])
def test_an_unknown_id_is_not_found(client: ApiClient, word: str) -> None:
    reply = client.get(f"/v1/emails/{word}")
    assert (reply.status, reply.body) == (404, error("NOT_FOUND", "Email not found"))


def test_an_id_too_short_does_not_fit(client: ApiClient) -> None:
    reply = client.get("/v1/emails/ab")
    (issue,) = issues(reply.body)
    assert (reply.status, issue["code"], issue["path"]) == (400, "too_small", ["emailId"])


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/nonsense"), ("DELETE", "/v1/emails"), ("PUT", "/")])
def test_an_unknown_route_or_method_is_a_plain_404(client: ApiClient, method: str, path: str) -> None:
    reply = client.ask(method, path)
    assert (reply.status, reply.body) == (404, "404 Not Found")


def test_doubled_slashes_after_the_prefix_do_not_matter(client: ApiClient) -> None:
    doubled = ApiClient("/usesend//api", client.secret)
    assert doubled.post("/v1/emails", LETTER).status == 200


def test_files_go_along_and_are_kept_once(client: ApiClient) -> None:
    files = [
        {"filename": "Rechnung März.pdf", "content": "JVBERi0xLjQK"},
        {"filename": "copy.bin", "content": "JVBERi0xLjQK"},
    ]
    for _ in range(2):
        assert client.post("/v1/emails", {**LETTER, "attachments": files}).status == 200
    assert AttachedFile.objects.count() == 1
    (message, _) = Message.objects.order_by("pk")
    names = [(one.name, one.content_type, one.content) for one in load_attachments(rows=[message])[message.pk]]
    assert names == [
        ("Rechnung März.pdf", "application/pdf", b"%PDF-1.4\n"),
        ("copy.bin", "application/octet-stream", b"%PDF-1.4\n"),
    ]


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\r\nBcc: x@y.example", "a\0b", "..", "x" * 300])
def test_a_file_with_a_hostile_name_is_refused(client: ApiClient, name: str) -> None:
    reply = client.post("/v1/emails", {**LETTER, "attachments": [{"filename": name, "content": "YQ=="}]})
    assert reply.status == 400
    assert not Message.objects.exists()
    assert not AttachedFile.objects.exists()


def test_other_files_under_the_same_key_are_another_request(client: ApiClient) -> None:
    key = {"Idempotency_Key": "order-1"}
    first = {**LETTER, "attachments": [{"filename": "a.txt", "content": "YQ=="}]}
    second = {**LETTER, "attachments": [{"filename": "a.txt", "content": "Yg=="}]}
    assert client.post("/v1/emails", first, **key).status == 200
    assert client.post("/v1/emails", first, **key).status == 200
    assert client.post("/v1/emails", second, **key).status == 409
    assert Message.objects.count() == 1
