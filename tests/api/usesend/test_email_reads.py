"""E-mails through the useSend dialect: listed, put off, cancelled, and where they stand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.core.mail import services as mail
from postroom.core.mail.models import DeliveryEvent, Domain, Message, SenderAccount
from postroom.core.mail.types import MessageStatus, NewSender, Provider
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM, Door, Role
from tests.api.clients import ApiClient, make_client
from tests.factories import NOW, make_contact, make_workspace
from tests.ledger import make_batch, make_content, make_message

pytestmark = pytest.mark.django_db

LETTER: dict[str, Any] = {
    "to": ["ann@example.com"],
    "from": "Shop <shop@acme.example>",
    "subject": "Hello",
    "html": "<p>Hi <b>Ann</b></p>",
}
AHEAD = "2031-05-01T10:00:00+02:00"


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> ApiClient:
    return make_client(workspace=workspace, door=Door.USESEND)


def domain_at(workspace: Workspace, name: str = "acme.example") -> tuple[Domain, SenderAccount]:
    """Return a domain with an account that signs for it."""
    domain = mail.create_domain(workspace=workspace, name=name, actor=SYSTEM, now=NOW)
    new = NewSender(
        name=name,
        provider=Provider.SMTP,
        from_email=f"shop@{name}",
        domain_id=domain.pk,
        config={"host": "mx.example", "port": 25},
    )
    return domain, mail.create_sender(workspace=workspace, new=new, actor=SYSTEM, now=NOW)


def error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def schedule(client: ApiClient, at: str = AHEAD) -> str:
    return str(client.post("/v1/emails", {**LETTER, "scheduledAt": at}).body["emailId"])


def status_of(client: ApiClient) -> str:
    return str(client.get("/v1/emails").body["data"][0]["latestStatus"])


def test_e_mails_are_listed_newest_first_with_all_that_the_contract_says(client: ApiClient) -> None:
    first = client.post("/v1/emails", LETTER).body["emailId"]
    second = client.post("/v1/emails", {**LETTER, "subject": "Later", "text": "Hi", "scheduledAt": AHEAD}).body
    listed = client.get("/v1/emails")
    assert listed.status == 200
    assert listed.body["count"] == 2
    assert [one["id"] for one in listed.body["data"]] == [second["emailId"], first]
    later, now = listed.body["data"]
    assert (later["latestStatus"], later["scheduledAt"]) == ("SCHEDULED", "2031-05-01T08:00:00.000Z")
    assert (now["latestStatus"], now["scheduledAt"], now["domainId"]) == ("QUEUED", None, None)
    assert (now["subject"], now["from"], now["to"]) == ("Hello", "Shop <shop@acme.example>", ["ann@example.com"])
    assert "<p>Hi <b>Ann</b></p>" in now["html"]
    assert later["text"] == "Hi"
    assert set(now) == {
        *("id", "to", "replyTo", "cc", "bcc", "from", "subject", "html", "text", "createdAt", "updatedAt"),
        *("latestStatus", "scheduledAt", "domainId"),
    }


def test_pages_are_of_fifty_or_fewer_and_end_empty(client: ApiClient) -> None:
    for number in range(5):
        client.post("/v1/emails", {**LETTER, "subject": f"{number}"})
    assert subjects(client, limit="2") == ["4", "3"]
    assert subjects(client, limit="2", page="3") == ["0"]
    assert subjects(client, limit="2", page="4") == []
    assert subjects(client, page="99999999999999999999") == []
    assert client.get("/v1/emails?limit=2&page=9").body["count"] == 5


def subjects(client: ApiClient, **asked: str) -> list[str]:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return [one["subject"] for one in client.get(f"/v1/emails?{query}").body["data"]]


@pytest.mark.parametrize(
    ("query", "issue"),
    [
        ("limit=51", {"code": "too_big", "maximum": 50, "type": "number", "inclusive": True, "exact": False,
                      "path": ["limit"], "message": "Number must be less than or equal to 50"}),
        ("limit=0", {"code": "too_small", "minimum": 1, "type": "number", "inclusive": True, "exact": False,
                     "path": ["limit"], "message": "Number must be greater than or equal to 1"}),
        ("page=abc", {"code": "invalid_type", "expected": "number", "received": "nan", "path": ["page"],
                      "message": "Expected number, received nan"}),
        ("page=1.5", {"code": "invalid_type", "expected": "integer", "received": "float", "path": ["page"],
                      "message": "Expected integer, received float"}),
        ("startDate=yesterday", {"code": "invalid_string", "validation": "datetime", "path": ["startDate"],
                                 "message": "Invalid datetime"}),
        ("endDate=2026-01-01", {"code": "invalid_string", "validation": "datetime", "path": ["endDate"],
                                "message": "Invalid datetime"}),
    ],
)  # fmt: skip
def test_a_query_that_does_not_fit_is_told_in_issues(client: ApiClient, query: str, issue: dict[str, Any]) -> None:
    answer = client.get(f"/v1/emails?{query}")
    assert answer.status == 400
    assert answer.body == {"success": False, "error": {"issues": [issue], "name": "ZodError"}}


def test_both_dates_count_and_both_are_included(client: ApiClient, workspace: Workspace) -> None:
    for day in range(1, 6):
        make_message(workspace=workspace, created_at=datetime(2026, 3, day, tzinfo=UTC))

    def days(query: str) -> list[int]:
        return [int(one["createdAt"][8:10]) for one in client.get(f"/v1/emails?{query}").body["data"]]

    assert days("startDate=2026-03-02T00:00:00Z&endDate=2026-03-04T00:00:00Z") == [4, 3, 2]
    assert days("startDate=2026-03-04T00:00:00.001Z") == [5]
    assert days("endDate=2026-03-02T02:00:00%2B02:00") == [2, 1]


def test_a_list_may_be_of_one_domain_or_of_several(client: ApiClient, workspace: Workspace) -> None:
    acme, own = domain_at(workspace)
    shop, other = domain_at(workspace, "shop.example")
    one, two = make_message(workspace=workspace, sender=own), make_message(workspace=workspace, sender=other)
    make_message(workspace=workspace)

    def ids(query: str) -> list[str]:
        found = client.get(f"/v1/emails?{query}").body
        assert found["count"] == len(found["data"])
        return [item["id"] for item in found["data"]]

    assert ids(f"domainId={acme.pk}") == [one.uid.hex]
    assert ids(f"domainId={acme.pk}&domainId={shop.pk}") == [two.uid.hex, one.uid.hex]
    assert ids("domainId=999999999") == ids("domainId=nonsense") == []
    item = client.get(f"/v1/emails?domainId={shop.pk}").body["data"][0]
    assert item["domainId"] == shop.pk


def test_a_key_of_one_domain_sees_and_changes_only_what_is_from_it(workspace: Workspace) -> None:
    _, own = domain_at(workspace)
    shop, other = domain_at(workspace, "shop.example")
    wide = make_client(workspace=workspace, door=Door.USESEND)
    bound = make_client(workspace=workspace, door=Door.USESEND, mail_domain="acme.example")
    ours = make_message(workspace=workspace, sender=own)
    theirs = make_message(workspace=workspace, sender=other)
    later = schedule(wide, AHEAD)
    Message.objects.filter(uid=later).update(sender=other, from_address="Shop <x@shop.example>")
    assert [one["id"] for one in bound.get(f"/v1/emails?domainId={shop.pk}").body["data"]] == [ours.uid.hex]
    assert bound.get(f"/v1/emails/{ours.uid.hex}").status == 200
    for answer in (
        bound.get(f"/v1/emails/{theirs.uid.hex}"),
        bound.ask("PATCH", f"/v1/emails/{later}", {"scheduledAt": AHEAD}),
        bound.post(f"/v1/emails/{later}/cancel", {}),
    ):
        assert (answer.status, answer.body) == (404, error("NOT_FOUND", "Email not found"))


def test_a_key_of_one_domain_sees_what_the_sandbox_holds_of_it(workspace: Workspace) -> None:
    domain_at(workspace)
    SenderAccount.objects.all().delete()
    wide = make_client(workspace=workspace, door=Door.USESEND)
    bound = make_client(workspace=workspace, door=Door.USESEND, mail_domain="acme.example")
    sent = wide.post("/v1/emails", LETTER).body["emailId"]
    wide.post("/v1/emails", {**LETTER, "from": "x@other.example"})
    assert [one["id"] for one in bound.get("/v1/emails").body["data"]] == [sent]
    assert bound.get(f"/v1/emails/{sent}").status == 200


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"status": "queued", "sent_at": None}, "QUEUED"),
        ({"status": "queued", "sent_at": None, "scheduled_at": NOW}, "SCHEDULED"),
        ({"status": "queued", "sent_at": None, "scheduled_at": NOW, "attempt": 1}, "QUEUED"),
        ({"status": "claimed", "sent_at": None, "scheduled_at": NOW, "attempt": 1}, "QUEUED"),
        ({"status": "deferred", "sent_at": None}, "DELIVERY_DELAYED"),
        ({"status": "sent"}, "SENT"),
        ({"status": "sent", "delivered_at": NOW}, "DELIVERED"),
        ({"status": "sent", "delivered_at": NOW, "machine_opened_at": NOW}, "DELIVERED"),
        ({"status": "sent", "delivered_at": NOW, "opened_at": NOW}, "OPENED"),
        ({"status": "sent", "opened_at": NOW, "clicked_at": NOW}, "CLICKED"),
        ({"status": "sent", "clicked_at": NOW, "complained_at": NOW}, "COMPLAINED"),
        ({"status": "sent", "bounced_at": NOW, "opened_at": NOW}, "OPENED"),
        ({"status": "failed", "sent_at": None, "bounced_at": NOW}, "BOUNCED"),
        (
            {"status": "failed", "sent_at": None, "bounced_at": NOW, "reply_code": 535, "reply_text": "5.7.8 No"},
            "REJECTED",
        ),
        ({"status": "failed", "sent_at": None}, "FAILED"),
        ({"status": "suppressed", "sent_at": None}, "SUPPRESSED"),
        ({"status": "cancelled", "sent_at": None}, "CANCELLED"),
    ],
)
def test_the_latest_status_is_the_strongest_of_what_is_known(
    client: ApiClient, workspace: Workspace, facts: dict[str, Any], word: str
) -> None:
    make_message(workspace=workspace, **facts)
    assert status_of(client) == word


def test_what_could_not_be_made_and_what_was_refused_at_once_have_words_of_their_own(
    client: ApiClient, workspace: Workspace
) -> None:
    refused = make_message(workspace=workspace, status="failed", sent_at=None, bounced_at=NOW, reply_code=535)
    unmade = make_message(workspace=workspace, status="failed", sent_at=None, reply_code=0)
    Message.objects.filter(pk=unmade.pk).update(content=None)
    for message, kind, data in ((refused, "bounced", {"kind": "configuration"}), (unmade, "failed", {"error": "No"})):
        DeliveryEvent.objects.create(
            key=f"{kind}:{message.pk}", workspace=workspace, message_id=message.pk, type=kind, at=NOW, data=data
        )
    for message, word in ((refused, "REJECTED"), (unmade, "RENDERING_FAILURE")):
        events = client.get(f"/v1/emails/{message.uid.hex}").body["emailEvents"]
        assert [one["status"] for one in events] == [word]
    listed = {one["id"]: one["latestStatus"] for one in client.get("/v1/emails").body["data"]}
    assert listed == {refused.uid.hex: "REJECTED", unmade.uid.hex: "RENDERING_FAILURE"}


def test_a_scheduled_e_mail_goes_at_another_time(client: ApiClient) -> None:
    uid = schedule(client)
    for at, stored in (
        ("2032-01-01T00:00:00Z", datetime(2032, 1, 1, tzinfo=UTC)),
        ("2032-01-01T02:30:00+02:30", datetime(2032, 1, 1, tzinfo=UTC)),
        ("2032-02-01T00:00:00.5", datetime(2032, 2, 1, microsecond=500_000, tzinfo=UTC)),
    ):
        answer = client.ask("PATCH", f"/v1/emails/{uid}", {"scheduledAt": at})
        assert (answer.status, answer.body) == (200, {"emailId": uid})
        message = Message.objects.get()
        assert (message.scheduled_at, message.next_attempt_at) == (stored, stored)


def test_a_time_that_is_past_sends_at_once(client: ApiClient) -> None:
    uid = schedule(client)
    client.ask("PATCH", f"/v1/emails/{uid}", {"scheduledAt": "2020-01-01T00:00:00Z"})
    message = Message.objects.get()
    assert message.next_attempt_at is not None
    assert message.next_attempt_at > datetime(2026, 1, 1, tzinfo=UTC)
    assert status_of(client) == "SCHEDULED"


def test_a_cancelled_e_mail_says_so_and_cannot_be_cancelled_again(client: ApiClient) -> None:
    uid = schedule(client)
    assert client.ask("POST", f"/v1/emails/{uid}/cancel", "this is not JSON").body == {"emailId": uid}
    found = client.get(f"/v1/emails/{uid}").body
    assert [one["status"] for one in found["emailEvents"]] == ["CANCELLED"]
    assert status_of(client) == "CANCELLED"
    refused = error("BAD_REQUEST", "Email already processed")
    for answer in (
        client.post(f"/v1/emails/{uid}/cancel", {}),
        client.ask("PATCH", f"/v1/emails/{uid}", {"scheduledAt": AHEAD}),
    ):
        assert (answer.status, answer.body) == (400, refused)
    assert DeliveryEvent.objects.count() == 1


def test_only_what_waits_for_its_time_is_put_off_or_cancelled(client: ApiClient, workspace: Workspace) -> None:
    uid = client.post("/v1/emails", LETTER).body["emailId"]
    for answer in (
        client.post(f"/v1/emails/{uid}/cancel", None),
        client.ask("PATCH", f"/v1/emails/{uid}", {"scheduledAt": AHEAD}),
    ):
        assert (answer.status, answer.body) == (400, error("BAD_REQUEST", "Email already processed"))
    assert Message.objects.get().status == MessageStatus.QUEUED


@pytest.mark.parametrize("method", ["GET", "PATCH", "CANCEL"])
def test_an_unknown_and_a_foreign_e_mail_are_the_same(client: ApiClient, method: str) -> None:
    foreign = make_message(workspace=make_workspace(slug="elsewhere"))
    for uid in (foreign.uid.hex, str(foreign.uid), "abc", "0" * 32):
        verb, path = ("POST", f"/v1/emails/{uid}/cancel") if method == "CANCEL" else (method, f"/v1/emails/{uid}")
        answer = client.ask(verb, path, {"scheduledAt": AHEAD})
        assert (answer.status, answer.body) == (404, error("NOT_FOUND", "Email not found"))


def test_a_patch_that_does_not_fit_is_told_in_issues(client: ApiClient) -> None:
    for body, code in (
        ({}, "invalid_type"),
        ({"scheduledAt": None}, "invalid_type"),
        ({"scheduledAt": "soon"}, "invalid_string"),
    ):
        answer = client.ask("PATCH", "/v1/emails/abcdef", body)
        assert answer.status == 400
        assert [(one["code"], one["path"]) for one in answer.body["error"]["issues"]] == [(code, ["scheduledAt"])]
    short = client.ask("PATCH", "/v1/emails/ab", {"scheduledAt": AHEAD})
    assert short.body["error"]["issues"][0]["message"] == "String must contain at least 3 character(s)"


def test_whoever_only_looks_changes_nothing(client: ApiClient, workspace: Workspace) -> None:
    uid = schedule(client)
    viewer = make_client(workspace=workspace, door=Door.USESEND, role=Role.VIEWER)
    assert viewer.get("/v1/emails").body["count"] == 1
    assert viewer.post(f"/v1/emails/{uid}/cancel", {}).status == 403
    assert viewer.ask("PATCH", f"/v1/emails/{uid}", {"scheduledAt": AHEAD}).status == 403


def test_a_key_that_only_sends_may_list_and_cancel(workspace: Workspace) -> None:
    client = make_client(workspace=workspace, door=Door.USESEND, scopes=("send",))
    uid = schedule(client)
    assert client.get("/v1/emails").status == 200
    assert client.post(f"/v1/emails/{uid}/cancel", {}).status == 200


def test_a_page_costs_the_same_few_statements_however_full(client: ApiClient, workspace: Workspace) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/v1/emails").status == 200
        return len(queries)

    client.post("/v1/emails", LETTER)
    client.get("/v1/emails")
    batch = make_batch(workspace=workspace, content=make_content(workspace=workspace))
    make_message(workspace=workspace, batch=batch, contact=make_contact(workspace=workspace, email="a@b.example"))
    few = cost()
    for number in range(30):
        client.post("/v1/emails", {**LETTER, "subject": f"{number}"})
        contact = make_contact(workspace=workspace, email=f"a{number}@b.example")
        make_message(workspace=workspace, batch=batch, contact=contact)
    assert cost() <= few
    assert few <= 16


_PLENTY = """
INSERT INTO mail_message (id, uid, workspace_id, sender_id, content_id, list_ids, message_class, is_test,
    from_address, "to", cc, bcc, reply_to, headers, slots, message_id_header, idempotency_key, status, priority,
    owner, attempt, tries, is_resent, reply_code, reply_text, provider_id, created_at, bounce_code, open_count,
    machine_open_count, click_count, scanner_click_count)
SELECT n, gen_random_uuid(), CASE WHEN n %% 5 = 0 THEN %(workspace)s ELSE %(other)s END,
    CASE WHEN n %% 100 = 0 THEN %(rare)s ELSE %(usual)s END, %(content)s, '[]', 'transactional', false, '',
    '["a@b.example"]', '[]', '[]', '[]', '{}', '{}', '<' || n || '@x>', '', 'sent', 1, '', 1, 1, false, 250, '', '',
    %(start)s + n * interval '1 second', '', 0, 0, 0, 0
FROM generate_series(1, 50000) AS n
"""


def test_of_fifty_thousand_some_are_found_by_index(client: ApiClient, workspace: Workspace) -> None:
    domain, rare = domain_at(workspace)
    _, usual = domain_at(workspace, "usual.example")
    content = make_content(workspace=workspace)
    with connection.cursor() as cursor:
        other = make_workspace(slug="other")
        where = {"workspace": workspace.pk, "other": other.pk, "rare": rare.pk, "usual": usual.pk}
        where |= {"content": content.pk, "start": NOW}
        cursor.execute(_PLENTY, where)
        cursor.execute("ANALYZE mail_message")
    since = (NOW + timedelta(seconds=30_000)).isoformat().replace("+00:00", "Z")
    until = (NOW + timedelta(seconds=30_100)).isoformat().replace("+00:00", "Z")
    for query, count, index in (
        ("page=1", 10_000, "message_by_workspace"),
        ("page=100", 10_000, "message_by_workspace"),
        (f"domainId={domain.pk}", 500, "message_by_sender"),
        (f"startDate={since}&endDate={until}", 21, "message_by_"),
    ):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/v1/emails?{query}").body["count"] == count
        found = [one["sql"] for one in queries if 'FROM "mail_message"' in one["sql"]]
        asked = [sql for sql in found if '"id" IN' not in sql]
        plans = [explain(sql) for sql in asked]
        assert len(plans) == 2
        for plan in plans:
            assert "Seq Scan" not in plan, f"{query}: {plan}"
            assert index in plan, f"{query}: {plan}"


def explain(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(row[0] for row in cursor.fetchall())
