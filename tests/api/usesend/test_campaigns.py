"""Campaigns through the useSend dialect: written by programs, scheduled in any state, counted as they go."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from postroom.core.campaigns import services as campaigns
from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.types import CampaignStatus
from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import Contact, ListMember
from postroom.core.contacts.types import OptOutScope, SuppressionReason, SuppressionScope
from postroom.core.events import services as events
from postroom.core.mail import services as mail
from postroom.core.mail.models import Batch, Message, Recipient
from postroom.core.mail.ports import Handover, Outcome, Result
from postroom.core.mail.types import EventType, Hit, Outgoing
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM, Door, Role
from postroom.kit import clock
from tests.api.clients import ApiClient, make_client
from tests.api.usesend.books import Book, make_book
from tests.factories import make_user, make_workspace

pytestmark = pytest.mark.django_db

WAY_OUT = "{{ usesend_unsubscribe_url }}"
HTML = f'<p>Hi {{{{firstName,fallback=there}}}} of {{{{company}}}}</p><a href="{WAY_OUT}">Bye</a>'
DOCUMENT = {
    "type": "doc",
    "content": [
        {"type": "heading", "attrs": {"level": 1}, "content": [{"type": "text", "text": "News"}]},
        {
            "type": "paragraph",
            "content": [
                {"type": "text", "text": "Hi "},
                {"type": "variable", "attrs": {"id": "firstName", "fallback": "there"}},
            ],
        },
        {"type": "button", "attrs": {"text": "Leave", "url": WAY_OUT}},
    ],
}


@pytest.fixture
def book() -> Book:
    found = make_book()
    found.client.ask("PATCH", f"/v1/contactBooks/{found.row.uid.hex}", {"variables": ["company"]})
    found.put("ann@example.com", firstName="Ann", properties={"company": "Acme"})
    found.put("bob@example.com", properties={"Company": "Bolt & Co"})
    return found


def letter(book: Book, **changes: Any) -> dict[str, Any]:
    said = {
        "name": "Spring",
        "from": "Shop <shop@acme.example>",
        "subject": "For {{firstName,fallback=you}}",
        "contactBookId": book.row.uid.hex,
        "html": HTML,
        **changes,
    }
    return {name: value for name, value in said.items() if value is not ...}


def create(book: Book, **changes: Any) -> dict[str, Any]:
    reply = book.client.post("/v1/campaigns", letter(book, **changes))
    assert reply.status == 200, reply
    return dict(reply.body)


def shown(book: Book, made: dict[str, Any]) -> dict[str, Any]:
    reply = book.client.get(f"/v1/campaigns/{made['id']}")
    assert reply.status == 200, reply
    return dict(reply.body)


def act(book: Book, made: dict[str, Any], what: str, body: Any = None) -> None:
    reply = book.client.post(f"/v1/campaigns/{made['id']}/{what}", body)
    assert (reply.status, reply.body) == (200, {"success": True})


def refused(reply: Any, message: str, status: int = 400, code: str = "BAD_REQUEST") -> bool:
    return bool((reply.status, reply.body) == (status, {"error": {"code": code, "message": message}}))


def begin(now: datetime | None = None) -> None:
    """Do what the workers do: start what is due."""
    at = now or clock.now()
    campaigns.start_due_campaigns(now=at)
    for campaign in Campaign.objects.filter(status=CampaignStatus.SENDING):
        campaigns.start_campaign(campaign_id=campaign.pk, now=at)


def deliver(now: datetime | None = None, result: Callable[[Outgoing], Result] | None = None) -> list[Outgoing]:
    """Hand over whatever may leave now, and return it."""
    at = now or clock.now()
    sent: list[Outgoing] = []
    while work := mail.claim_work(owner="here-1", now=at):
        said = result or (lambda _: Result(Outcome.SENT, 250, "2.0.0", "ok"))
        handovers = [Handover(item.message_id, at.timestamp(), said(item)) for item in work.items]
        mail.finish_chunk(claim=work.claim, handovers=handovers, now=at)  # type: ignore[arg-type]
        sent += work.items
    events.dispatch_events(now=at)
    return sent


def test_a_campaign_is_a_draft_that_says_what_it_was_given(book: Book) -> None:
    made = create(book, replyTo="Desk <desk@acme.example>", cc=["a@acme.example"], bcc="b@acme.example", batchSize=7)
    assert made == shown(book, made)
    assert made["status"] == "DRAFT"
    assert made["subject"] == "For {{firstName,fallback=you}}"
    assert (made["from"], made["html"], made["content"]) == ("Shop <shop@acme.example>", HTML, None)
    assert (made["replyTo"], made["cc"], made["bcc"]) == (
        ["Desk <desk@acme.example>"],
        ["a@acme.example"],
        ["b@acme.example"],
    )
    assert (made["batchSize"], made["batchWindowMinutes"], made["contactBookId"]) == (7, 0, book.row.uid.hex)
    assert (made["previewText"], made["scheduledAt"], made["total"], made["sent"]) == (None, None, 0, 0)
    assert made["createdAt"].endswith("Z")
    assert create(book)["batchSize"] == 500


def test_each_reader_gets_their_own_words(book: Book) -> None:
    create(book, sendNow=True, previewText="For {{company}} {{ only }}", replyTo="Desk <desk@acme.example>")
    begin()
    sent = {item.to[0]: item for item in deliver()}
    assert sorted(sent) == ["ann@example.com", "bob@example.com"]
    assert {item.mailing.reply_to for item in sent.values()} == {("Desk <desk@acme.example>",)}
    assert {item.mailing.from_address for item in sent.values()} == {"Shop <shop@acme.example>"}
    assert sent["ann@example.com"].slots["properties"] == {"company": "Acme"}
    message = Message.objects.get(to=["bob@example.com"])
    found = book.client.get(f"/v1/emails/{message.uid.hex}").body
    assert found["subject"] == "For you"
    assert "Hi there of Bolt &amp; Co" in found["html"]
    assert "For Bolt &amp; Co {{ only }}" in found["html"]
    assert (found["from"], found["replyTo"]) == ("Shop <shop@acme.example>", ["Desk <desk@acme.example>"])


def test_liquid_of_a_program_means_nothing(book: Book) -> None:
    html = f"<p>{{{{ email | upcase }}}} {{% if email %}}{{{{unsubscribe_url}}}}{{{{{{</p><a href='{WAY_OUT}'>x</a>"
    made = create(book, html=html, subject="{% for %} {{ first_name }}", sendNow=True)
    begin()
    deliver()
    message = Message.objects.filter(batch__isnull=False).first()
    assert message is not None
    found = book.client.get(f"/v1/emails/{message.uid.hex}").body
    assert found["subject"] == "{% for %} {{ first_name }}"
    assert "{{ email | upcase }} {% if email %}{{unsubscribe_url}}{{{" in found["html"]
    assert made["html"] == html


def test_an_editor_document_becomes_an_email(book: Book) -> None:
    content = json.dumps(DOCUMENT)
    made = create(book, html=..., content=content, sendNow=True)
    assert (made["content"], made["html"], made["status"], made["total"]) == (content, None, "SCHEDULED", 2)
    begin()
    deliver()
    message = Message.objects.get(to=["ann@example.com"])
    found = book.client.get(f"/v1/emails/{message.uid.hex}").body
    assert ">News</h1>" in found["html"]
    assert "Hi Ann" in found["text"]
    both = create(book, content=content)
    assert (both["html"], both["content"]) == (HTML, content)
    assert "News</h1>" in Campaign.objects.get(uid=both["id"]).body


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"contactBookId": "nosuchbook"}, "Contact book not found"),
        ({"contactBookId": "0" * 32}, "Contact book not found"),
        ({"html": ..., "content": "{"}, "Campaign must include an unsubscribe link before sending"),
        ({"html": ..., "content": '{"{{usesend_unsubscribe_url}}'}, "Invalid content JSON"),
        ({"content": "no json"}, "Invalid content JSON"),
        ({"html": "<p>Hi</p>"}, "Campaign must include an unsubscribe link before sending"),
        ({"html": "{{unsubscribe_url}}"}, "Campaign must include an unsubscribe link before sending"),
        ({"from": "nobody"}, "From email is invalid"),
        ({"scheduledAt": "the day the music died"}, "Invalid date format: the day the music died"),
        (
            {"content": json.dumps({"type": "doc", "content": [{"type": "video"}]})},
            "Unknown node 'video' at content[0].",
        ),
    ],
)
def test_what_breaks_a_rule_is_refused_and_leaves_nothing(book: Book, changes: dict[str, Any], message: str) -> None:
    reply = book.client.post("/v1/campaigns", letter(book, **changes))
    assert refused(reply, message), reply
    assert not Campaign.objects.exists()


@pytest.mark.parametrize(
    ("changes", "issue"),
    [
        ({"name": ""}, {"code": "too_small", "path": ["name"]}),
        ({"from": ...}, {"code": "invalid_type", "path": ["from"], "message": "Required"}),
        ({"subject": None}, {"code": "invalid_type", "path": ["subject"], "received": "null"}),
        ({"html": ...}, {"code": "custom", "path": []}),
        ({"html": ""}, {"code": "too_small", "path": ["html"]}),
        ({"replyTo": ""}, {"path": ["replyTo"]}),
        ({"cc": ["a@example.com", ""]}, {"path": ["cc", 1]}),
        ({"sendNow": "yes"}, {"code": "invalid_type", "path": ["sendNow"], "expected": "boolean"}),
        ({"batchSize": 0}, {"code": "too_small", "path": ["batchSize"], "minimum": 1}),
        ({"batchSize": 100_001}, {"code": "too_big", "path": ["batchSize"], "maximum": 100_000}),
        ({"batchSize": 1.5}, {"path": ["batchSize"], "expected": "integer"}),
        ({"batchSize": None}, {"code": "invalid_type", "path": ["batchSize"]}),
        ({"scheduledAt": None}, {"code": "invalid_type", "path": ["scheduledAt"]}),
    ],
)
def test_what_does_not_fit_is_told_where(book: Book, changes: dict[str, Any], issue: dict[str, Any]) -> None:
    reply = book.client.post("/v1/campaigns", letter(book, **changes))
    assert reply.status == 400
    found = reply.body["error"]["issues"]
    assert any(issue.items() <= one.items() for one in found), found
    assert not Campaign.objects.exists()


def test_a_bad_address_of_a_copy_is_refused(book: Book) -> None:
    for field in ("replyTo", "cc", "bcc"):
        assert book.client.post("/v1/campaigns", letter(book, **{field: ["a@example.com", "nobody"]})).status == 400
    many = [f"copy{number}@example.com" for number in range(50)]
    said = "Each message goes to 50 addresses at most, its reader included."
    assert refused(book.client.post("/v1/campaigns", letter(book, bcc=many)), said)
    assert not Campaign.objects.exists()


def test_send_now_wins_and_an_empty_book_rolls_everything_back(book: Book) -> None:
    made = create(book, sendNow=True, scheduledAt="tomorrow 9am")
    assert made["status"] == "SCHEDULED"
    assert datetime.fromisoformat(made["scheduledAt"]) <= clock.now()
    ListMember.objects.update(status="unsubscribed")
    for changes in ({"sendNow": True}, {"scheduledAt": "tomorrow 9am"}):
        reply = book.client.post("/v1/campaigns", letter(book, **changes))
        assert refused(reply, "No subscribed contacts to send"), reply
    assert Campaign.objects.count() == 1
    assert create(book, sendNow=False)["status"] == "DRAFT"


def test_a_time_in_words_is_by_the_workspaces_clock() -> None:
    workspace = make_workspace()
    Workspace.objects.update(timezone="America/New_York")
    book = make_book(workspace=workspace)
    book.put("ann@example.com")
    made = create(book, scheduledAt="2027-03-10 09:00")
    assert (made["status"], made["scheduledAt"]) == ("SCHEDULED", "2027-03-10T14:00:00.000Z")
    act(book, made, "schedule", {"scheduledAt": "2027-03-10T09:00:00Z", "batchSize": 3})
    again = shown(book, made)
    assert (again["scheduledAt"], again["batchSize"]) == ("2027-03-10T09:00:00.000Z", 3)
    act(book, made, "schedule", {"scheduledAt": "in 2 hours"})
    ahead = datetime.fromisoformat(shown(book, made)["scheduledAt"]) - clock.now()
    assert timedelta(minutes=119) < ahead < timedelta(minutes=121)
    bad = book.client.post(f"/v1/campaigns/{made['id']}/schedule", {"scheduledAt": "gibberish"})
    assert refused(bad, "Invalid date format: gibberish")


def test_a_campaign_runs_through_its_states(book: Book) -> None:
    made = create(book)
    act(book, made, "schedule", {})
    assert (shown(book, made)["status"], shown(book, made)["total"]) == ("SCHEDULED", 2)
    begin()
    assert shown(book, made)["status"] == "RUNNING"
    act(book, made, "pause")
    assert shown(book, made)["status"] == "PAUSED"
    assert deliver() == []
    act(book, made, "pause")
    act(book, made, "resume")
    assert shown(book, made)["status"] == "RUNNING"
    act(book, made, "resume")
    act(book, made, "schedule", {})
    assert len(deliver()) == 2
    done = shown(book, made)
    assert (done["status"], done["total"], done["sent"], done["delivered"]) == ("SENT", 2, 2, 2)


def test_whoever_got_it_never_gets_it_again_and_newcomers_do(book: Book) -> None:
    made = create(book, sendNow=True)
    begin()
    assert len(deliver()) == 2
    act(book, made, "schedule", {})
    begin()
    assert deliver() == []
    assert shown(book, made)["status"] == "SENT"
    book.put("cleo@example.com", firstName="Cleo")
    act(book, made, "schedule", {})
    assert shown(book, made)["status"] == "SCHEDULED"
    begin()
    assert [item.to for item in deliver()] == [("cleo@example.com",)]
    done = shown(book, made)
    assert (done["status"], done["total"], done["sent"], done["delivered"]) == ("SENT", 3, 3, 3)
    assert Batch.objects.count() == 1
    act(book, made, "pause")
    assert shown(book, made)["status"] == "PAUSED"
    book.put("dan@example.com")
    act(book, made, "resume")
    assert shown(book, made)["status"] == "RUNNING"
    begin()
    assert [item.to for item in deliver()] == [("dan@example.com",)]


def test_whoever_was_refused_the_first_time_gets_it_once_they_may(book: Book) -> None:
    made = create(book, sendNow=True)
    ListMember.objects.filter(contact__email="bob@example.com").update(status="unsubscribed")
    begin()
    assert [item.to for item in deliver()] == [("ann@example.com",)]
    assert shown(book, made)["total"] == 1
    ListMember.objects.update(status="subscribed")
    act(book, made, "schedule", {})
    begin()
    assert [item.to for item in deliver()] == [("bob@example.com",)]
    assert (shown(book, made)["total"], Recipient.objects.count()) == (2, 2)


def test_a_draft_may_be_paused_and_goes_on_at_its_time_or_now(book: Book) -> None:
    made = create(book)
    act(book, made, "pause")
    assert shown(book, made)["status"] == "PAUSED"
    act(book, made, "resume")
    assert shown(book, made)["status"] == "RUNNING"
    later = create(book, scheduledAt="in 2 hours")
    act(book, later, "pause")
    begin(clock.now() + timedelta(hours=3))
    assert shown(book, later)["status"] == "PAUSED"
    act(book, later, "resume")
    assert shown(book, later)["status"] == "SCHEDULED"


def test_a_running_campaign_that_is_put_off_goes_on_with_the_rest_at_its_time(book: Book) -> None:
    made = create(book, sendNow=True)
    begin()
    act(book, made, "schedule", {"scheduledAt": "in 2 hours"})
    assert shown(book, made)["status"] == "SCHEDULED"
    assert deliver() == []
    at = clock.now() + timedelta(hours=2, minutes=1)
    begin(at)
    assert shown(book, made)["status"] == "RUNNING"
    assert len(deliver(at)) == 2


def test_windows_let_so_many_go_at_a_time(book: Book) -> None:
    for number in range(5):
        book.put(f"p{number}@example.com")
    made = create(book, batchSize=3)
    Campaign.objects.update(batch_window_minutes=10)
    act(book, made, "schedule", {})
    start = clock.now()
    begin(start)
    minute = timedelta(minutes=1)
    assert [len(deliver(start + minutes * minute)) for minutes in (0, 9, 10, 19)] == [3, 0, 3, 0]
    act(book, made, "pause")
    act(book, made, "resume")
    assert deliver(start + 19 * minute) == []
    assert len(deliver(start + 20 * minute)) == 1
    assert shown(book, made)["status"] == "SENT"


def test_a_window_that_was_missed_is_not_made_up_for(book: Book) -> None:
    for number in range(4):
        book.put(f"p{number}@example.com")
    made = create(book, batchSize=2)
    Campaign.objects.update(batch_window_minutes=10)
    act(book, made, "schedule", {})
    start = clock.now()
    begin(start)
    act(book, made, "pause")
    late = start + timedelta(hours=5)
    workspace, uid = book.workspace, Campaign.objects.get().uid
    campaigns.resume_campaign(workspace=workspace, uid=uid, actor=SYSTEM, now=late)
    minute = timedelta(minutes=1)
    assert [len(deliver(late + minutes * minute)) for minutes in (0, 9, 10, 20)] == [2, 0, 2, 2]


def test_everybody_of_the_copies_gets_each_message_unless_they_must_not(book: Book) -> None:
    contacts.suppress_address(
        workspace=book.workspace,
        email="gone@acme.example",
        scope=SuppressionScope.WORKSPACE,
        reason=SuppressionReason.HARD_BOUNCE,
        detail="",
        actor=SYSTEM,
        now=clock.now(),
    )
    left = Contact.objects.get(uid=book.put("left@acme.example"))
    contacts.opt_out(
        workspace=book.workspace,
        contact_id=left.pk,
        scope=OptOutScope(),
        source="link",
        actor=SYSTEM,
        now=clock.now(),
    )
    create(
        book,
        cc=["Boss <boss@acme.example>", "gone@acme.example"],
        bcc=["log@acme.example", "left@acme.example"],
        sendNow=True,
    )
    begin()
    first = deliver(result=lambda _: Result(Outcome.DEFERRED, 451, "4.3.0", "later"))
    assert {(item.cc, item.bcc) for item in first} == {(("boss@acme.example",), ("log@acme.example",))}
    again = mail.claim_work(owner="here-1", now=clock.now() + timedelta(hours=2))
    assert again is not None
    assert {(item.cc, item.bcc) for item in again.items} == {(("boss@acme.example",), ("log@acme.example",))}
    assert {item.slots["properties"]["company"] for item in again.items} == {"Acme", "Bolt & Co"}  # type: ignore[index, call-overload]
    assert {item.mailing.from_address for item in again.items} == {"Shop <shop@acme.example>"}


def test_counters_say_what_happened(book: Book) -> None:
    for number in range(3):
        book.put(f"p{number}@example.com")
    made = create(book, sendNow=True)
    begin()
    refusals = {
        "p0@example.com": Result(Outcome.FAILED, 550, "5.1.1", "no such user"),
        "p1@example.com": Result(Outcome.DEFERRED, 451, "4.2.0", "later"),
    }
    ok = Result(Outcome.SENT, 250, "2.0.0", "ok")
    deliver(result=lambda item: refusals.get(item.to[0], ok))
    ann, bob, third = Message.objects.filter(sent_at__isnull=False).order_by("pk")
    later = clock.now() + timedelta(minutes=1)
    hits = [
        Hit(key="o", type=EventType.OPENED, message_id=ann.pk, at=later, agent="Mail"),
        Hit(key="o2", type=EventType.OPENED, message_id=ann.pk, at=later, agent="Mail"),
        Hit(key="c", type=EventType.CLICKED, message_id=ann.pk, at=later, link_index=0),
        Hit(key="s", type=EventType.COMPLAINED, message_id=bob.pk, at=later),
        Hit(key="b", type=EventType.BOUNCED, message_id=third.pk, at=later, data={"status": "4.2.2"}),
    ]
    mail.store_hits(hits=hits)
    mail.apply_hits(now=later, limit=100)
    mail.unsubscribe_message(message_id=bob.pk, source="test", now=later)
    mail.apply_hits(now=later, limit=100)
    found = shown(book, made)
    names = ("total", "sent", "delivered", "bounced", "hardBounced", "opened", "complained", "unsubscribed")
    assert {name: found[name] for name in names} == {
        "total": 5,
        "sent": 4,
        "delivered": 2,
        "bounced": 2,
        "hardBounced": 1,
        "opened": 1,
        "complained": 1,
        "unsubscribed": 1,
    }
    (row,) = book.client.get("/v1/campaigns").body["campaigns"]
    assert row == {name: found[name] for name in row}


@pytest.mark.parametrize("state", list(CampaignStatus))
def test_a_campaign_is_deleted_in_whatever_state_and_its_mail_stays(book: Book, state: CampaignStatus) -> None:
    made = create(book, sendNow=True)
    begin()
    if state == CampaignStatus.SENT:
        deliver()
    Campaign.objects.update(status=state)
    reply = book.client.ask("DELETE", f"/v1/campaigns/{made['id']}")
    assert reply.status == 200
    assert (reply.body["id"], reply.body["name"]) == (made["id"], "Spring")
    assert not Campaign.objects.exists()
    assert deliver() == []
    assert Message.objects.count() == (2 if state == CampaignStatus.SENT else 0)
    assert refused(book.client.get(f"/v1/campaigns/{made['id']}"), "Campaign not found", 404, "NOT_FOUND")


def test_campaigns_are_listed_by_page_and_text_newest_first(book: Book, django_assert_max_num_queries: Any) -> None:
    names = [create(book, name=f"Letter {number}", subject=f"About {number % 2}")["name"] for number in range(32)]
    with django_assert_max_num_queries(14):
        first = book.client.get("/v1/campaigns").body
    assert [one["name"] for one in first["campaigns"]] == names[:1:-1]
    assert first["totalPage"] == 2
    assert [one["name"] for one in book.client.get("/v1/campaigns?page=2").body["campaigns"]] == [
        "Letter 1",
        "Letter 0",
    ]
    assert book.client.get("/v1/campaigns?page=99999999999999999999").body == {"campaigns": [], "totalPage": 2}
    found = book.client.get("/v1/campaigns?search=letter%2031").body
    assert ([one["name"] for one in found["campaigns"]], found["totalPage"]) == (["Letter 31"], 1)
    assert len(book.client.get("/v1/campaigns?search=ABOUT%200").body["campaigns"]) == 16
    assert book.client.get("/v1/campaigns?search=100%25").body == {"campaigns": [], "totalPage": 0}
    assert set(first["campaigns"][0]) == {
        *("id", "name", "from", "subject", "createdAt", "updatedAt", "status", "scheduledAt"),
        *("total", "sent", "delivered", "unsubscribed"),
    }


def test_a_filter_knows_the_documents_words_and_the_real_ones(book: Book) -> None:
    made = create(book)
    seen: dict[str, list[str]] = {}
    for state in CampaignStatus:
        Campaign.objects.update(status=state)
        for word in ("DRAFT", "SCHEDULED", "IN_PROGRESS", "PAUSED", "COMPLETED", "CANCELLED", "RUNNING", "SENT"):
            if book.client.get(f"/v1/campaigns?status={word}").body["campaigns"]:
                seen.setdefault(state.value, []).append(word)
    assert seen == {
        "draft": ["DRAFT"],
        "scheduled": ["SCHEDULED"],
        "repeating": ["SCHEDULED"],
        "sending": ["IN_PROGRESS", "RUNNING"],
        "paused": ["PAUSED"],
        "failed": ["PAUSED"],
        "sent": ["COMPLETED", "SENT"],
        "cancelled": ["COMPLETED", "CANCELLED", "SENT"],
    }
    reply = book.client.get("/v1/campaigns?status=GONE")
    assert reply.body["error"]["issues"][0]["code"] == "invalid_enum_value"
    assert book.client.get("/v1/campaigns?page=0").body["error"]["issues"][0]["code"] == "too_small"
    assert book.client.get("/v1/campaigns?page=x").body["error"]["issues"][0]["received"] == "nan"
    assert made["id"]


def test_nobody_else_sees_or_moves_a_campaign(book: Book) -> None:
    made = create(book)
    stranger = make_client(workspace=make_workspace(), door=Door.USESEND)
    assert stranger.get("/v1/campaigns").body == {"campaigns": [], "totalPage": 0}
    asked = [("GET", ""), ("DELETE", ""), ("POST", "/schedule"), ("POST", "/pause"), ("POST", "/resume")]
    for method, path in asked:
        reply = stranger.ask(method, f"/v1/campaigns/{made['id']}{path}", {})
        assert refused(reply, "Campaign not found", 404, "NOT_FOUND"), (method, path, reply)
    foreign = stranger.post("/v1/campaigns", letter(book))
    assert refused(foreign, "Contact book not found")
    assert Campaign.objects.get().status == CampaignStatus.DRAFT


def test_a_viewers_key_reads_and_changes_nothing(book: Book) -> None:
    made = create(book)
    user = make_user(workspace=book.workspace, role=Role.VIEWER)
    viewer: ApiClient = make_client(workspace=book.workspace, door=Door.USESEND, user=user)
    assert viewer.get(f"/v1/campaigns/{made['id']}").status == 200
    assert viewer.post("/v1/campaigns", letter(book)).status == 403
    assert viewer.ask("DELETE", f"/v1/campaigns/{made['id']}").status == 403
    assert viewer.post(f"/v1/campaigns/{made['id']}/pause", {}).status == 403
    assert Campaign.objects.get().status == CampaignStatus.DRAFT


def test_bodies_that_say_nothing_are_not_read(book: Book) -> None:
    made = create(book)
    for what in ("pause", "resume"):
        bodies: list[Any] = [None, "", "{", {}]
        for body in bodies:
            assert book.client.post(f"/v1/campaigns/{made['id']}/{what}", body).status == 200


def test_a_campaign_made_on_a_page_is_shown_too(book: Book) -> None:
    made = campaigns.create_campaign(workspace=book.workspace, name="By hand", actor=SYSTEM, now=clock.now())
    found = shown(book, {"id": made.uid.hex})
    assert (found["name"], found["contactBookId"], found["content"], found["status"]) == (
        "By hand",
        None,
        None,
        "DRAFT",
    )
    reply = book.client.post(f"/v1/campaigns/{made.uid.hex}/schedule", {})
    assert refused(reply, "No content added for campaign")
