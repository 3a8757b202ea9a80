"""The pages of the ledger: looked through, and one message with everything about it."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from postroom.core.contacts.models import Suppression
from postroom.core.mail import services as mail
from postroom.core.mail.models import DeliveryEvent, Letter, Message, SandboxMail, Template
from postroom.core.mail.ports import Handover, Outcome, Result
from postroom.core.mail.services.transcripts import keep_transcripts
from postroom.core.mail.types import (
    Attachment,
    BatchStatus,
    Composition,
    MessageClass,
    MessageStatus,
    NewMessage,
    Submission,
)
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import AuditEntry, User, Workspace
from postroom.core.workspaces.types import Door, NewKey
from postroom.kit import clock
from tests.factories import NOW, make_actor, make_contact
from tests.ledger import SENT, make_batch, make_content, make_message, make_sender

pytestmark = pytest.mark.django_db


def look(client: Client, workspace: Workspace, **asked: Any) -> str:
    """The list page."""
    return client.get(f"/w/{workspace.slug}/messages/", asked).content.decode()


def open_page(client: Client, message: Message) -> str:
    """The page of one message."""
    return client.get(f"/w/{message.workspace.slug}/messages/{message.uid}/").content.decode()


def act(client: Client, message: Message, name: str, **said: str) -> str:
    """Press a button of the page; what the next one says."""
    path = f"/w/{message.workspace.slug}/messages/{message.uid}/{name}/"
    return client.post(path, said, follow=True).content.decode()


def make_waiting(workspace: Workspace, **changes: Any) -> Message:
    """A message that was put off and is tried again in a quarter of an hour."""
    fields = {
        "status": MessageStatus.DEFERRED,
        "message_class": MessageClass.TRANSACTIONAL,
        "sent_at": None,
        "tries": 2,
        "reply_code": 451,
        "next_attempt_at": clock.now() + timedelta(minutes=14, seconds=10),
        **changes,
    }
    return make_message(workspace=workspace, **fields)


def test_an_empty_ledger_says_what_to_do(as_viewer: Client, workspace: Workspace) -> None:
    assert "No messages yet" in look(as_viewer, workspace)


def test_messages_are_found_by_state_kind_sender_address_and_name(as_viewer: Client, workspace: Workspace) -> None:
    ada = make_contact(workspace=workspace, email="ada@example.com", first_name="Adelaide")
    desk = make_sender(workspace=workspace)
    make_message(workspace=workspace, to=["ada@example.com"], contact=ada, sender=desk)
    make_message(workspace=workspace, to=["stranger@example.org"], message_class=MessageClass.TRANSACTIONAL)
    make_waiting(workspace, to=["later@example.net"])

    def found(**asked: Any) -> set[str]:
        page = look(as_viewer, workspace, **asked)
        return {to for to in ("ada@example.com", "stranger@example.org", "later@example.net") if f">{to}<" in page}

    assert found() == {"ada@example.com", "stranger@example.org", "later@example.net"}
    assert found(status="deferred") == {"later@example.net"}
    assert found(kind="transactional") == {"stranger@example.org", "later@example.net"}
    assert found(kind="transactional", status="sent") == {"stranger@example.org"}
    assert found(sender=desk.pk) == {"ada@example.com"}
    assert found(q="ada@ex") == {"ada@example.com"}
    assert found(q="adel") == {"ada@example.com"}
    assert found(q="STRANGER@ex") == {"stranger@example.org"}
    assert found(q="stranger", status="deferred") == set()
    assert found(q="%") == set()
    assert found(status="nonsense", sender="x", kind="\0") == found()


def test_pages_follow_each_other_without_a_gap(as_viewer: Client, workspace: Workspace) -> None:
    sender, content = make_sender(workspace=workspace), make_content(workspace=workspace)
    for number in range(105):
        make_message(workspace=workspace, sender=sender, content=content, to=[f"p{number:03}@example.com"])
    seen: list[str] = []
    page = look(as_viewer, workspace)
    while True:
        seen += [part[:16] for part in page.split(">")[1:] if part[:1] == "p" and part[4:17] == "@example.com<"[:13]]
        link = page.partition('rel="next" href="?before=')[2].partition('"')[0]
        if not link:
            break
        page = look(as_viewer, workspace, before=link)
    assert seen == [f"p{number:03}@example.com" for number in reversed(range(105))]


def test_a_rare_message_is_looked_for_in_stretches(
    as_viewer: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postroom.core.mail.selectors.searches.WALK", 10)
    desk, other = make_sender(workspace=workspace), make_sender(workspace=workspace)
    make_message(workspace=workspace, sender=desk, to=["rare@example.com"])
    for _ in range(15):
        make_message(workspace=workspace, sender=other)
    page = look(as_viewer, workspace, sender=desk.pk)
    assert "rare@example.com" not in page
    link = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "Look further back" in page
    assert "rare@example.com" in as_viewer.get(f"/w/{workspace.slug}/messages/{link}").content.decode()


@pytest.mark.parametrize("asked", [{}, {"status": "failed"}, {"kind": "reply"}, {"q": "ada"}])
def test_the_list_costs_the_same_few_statements(as_viewer: Client, workspace: Workspace, asked: dict[str, str]) -> None:
    for number in range(30):
        contact = make_contact(workspace=workspace, email=f"ada{number}@example.com")
        make_message(workspace=workspace, contact=contact, to=[f"ada{number}@example.com"])
    as_viewer.get(f"/w/{workspace.slug}/messages/")
    with CaptureQueriesContext(connection) as queries:
        look(as_viewer, workspace, **asked)
    assert len(queries) <= 20


def test_a_message_says_what_happened_what_was_said_and_what_comes_next(
    as_viewer: Client, workspace: Workspace
) -> None:
    message = make_waiting(workspace, to=["ada@example.com"])
    data = {"code": 451, "enhanced": "4.7.1", "text": "Greylisting in action", "kind": "greylisted"}
    DeliveryEvent.objects.create(
        key="x", workspace=workspace, message_id=message.pk, type="deferred", at=NOW, data=data
    )
    dialogue = "MAIL: 250 Ok\nRCPT: 451 4.7.1 <ada@example.com>: Greylisting in action"
    refused = Result(
        Outcome.DEFERRED, 451, "4.7.1", "Greylisting in action", session="mx.example.com:25", dialogue=dialogue
    )
    keep_transcripts(workspace_id=workspace.pk, handovers=[Handover(message.pk, NOW.timestamp(), refused)], now=NOW)

    page = open_page(as_viewer, message)

    assert "Next try in 14 min, after 2 tries." in page
    assert "Asked to come back (greylisting): 451 4.7.1 Greylisting in action" in page
    assert "RCPT: 451 4.7.1 &lt;ada@example.com&gt;" in page
    assert "mx.example.com:25" in page
    assert "Try it now" not in page  # a viewer only looks


def test_the_page_of_a_message_costs_few_statements(as_viewer: Client, workspace: Workspace) -> None:
    batch = make_batch(workspace=workspace)
    message = make_message(workspace=workspace, batch=batch, contact=make_contact(workspace=workspace))
    open_page(as_viewer, message)
    with CaptureQueriesContext(connection) as queries:
        open_page(as_viewer, message)
    assert len(queries) <= 20


def test_the_mail_is_shown_in_a_frame_that_may_neither_run_nor_load(as_viewer: Client, workspace: Workspace) -> None:
    content = make_content(workspace=workspace)
    content.__class__.objects.filter(pk=content.pk).update(html="<p>Dear {{ first_name }}<script>alert(1)</script></p>")
    contact = make_contact(workspace=workspace, first_name="Ada")
    message = make_message(workspace=workspace, content=content, batch=make_batch(workspace=workspace), contact=contact)
    response = as_viewer.get(f"/w/{workspace.slug}/messages/{message.uid}/body/")
    assert response.headers["Content-Security-Policy"].startswith("sandbox;")
    assert "Dear Ada" in response.content.decode()


def test_a_waiting_message_is_tried_now_and_the_deed_is_written_down(
    as_colleague: Client, workspace: Workspace
) -> None:
    message = make_waiting(workspace)
    assert "tried as soon as a sender is free" in act(as_colleague, message, "retry")
    message.refresh_from_db()
    assert message.status == MessageStatus.QUEUED
    assert message.next_attempt_at is not None
    assert message.next_attempt_at <= clock.now()
    assert AuditEntry.objects.filter(act="message.retried", object_id=message.pk).count() == 1


def test_a_waiting_message_is_cancelled_and_then_nothing_is_left_to_do(
    as_colleague: Client, workspace: Workspace
) -> None:
    message = make_waiting(workspace)
    assert "The message is cancelled." in act(as_colleague, message, "cancel")
    message.refresh_from_db()
    assert (message.status, message.next_attempt_at) == (MessageStatus.CANCELLED, None)
    assert "Only a message that waits can be cancelled." in act(as_colleague, message, "cancel")
    assert "not waiting for a try" in act(as_colleague, message, "retry")


def test_a_doubtful_message_is_sent_again_on_a_person_s_word_alone(as_colleague: Client, workspace: Workspace) -> None:
    message = make_message(workspace=workspace, status=MessageStatus.IN_DOUBT, sent_at=None, reply_code=0)
    page = open_page(as_colleague, message)
    assert "may get it twice" in page
    assert "nobody knows whether it arrived" in page
    act(as_colleague, message, "retry")
    message.refresh_from_db()
    assert (message.status, message.is_resent) == (MessageStatus.QUEUED, True)


@pytest.mark.parametrize("status", [BatchStatus.PAUSED, BatchStatus.CANCELLED])
def test_a_message_of_a_stopped_campaign_waits_for_the_campaign(
    as_colleague: Client, workspace: Workspace, status: BatchStatus
) -> None:
    message = make_waiting(workspace, batch=make_batch(workspace=workspace, status=status))
    assert "not waiting for a try" in act(as_colleague, message, "retry")
    message.refresh_from_db()
    assert message.status == MessageStatus.DEFERRED


@pytest.mark.parametrize("status", [MessageStatus.SENT, MessageStatus.FAILED, MessageStatus.CLAIMED])
def test_what_has_ended_or_is_under_way_is_nobody_s_to_change(
    as_owner: Client, workspace: Workspace, status: MessageStatus
) -> None:
    message = make_message(workspace=workspace, status=status, sent_at=SENT if status == MessageStatus.SENT else None)
    for name in ("retry", "cancel"):
        act(as_owner, message, name)
    message.refresh_from_db()
    assert message.status == status


def test_a_recipient_is_suppressed_and_nobody_else(as_colleague: Client, workspace: Workspace) -> None:
    message = make_message(workspace=workspace, to=["ada@example.com"])
    assert "did not go to this address" in act(as_colleague, message, "suppress", email="bob@example.com")
    assert "ada@example.com gets no mail" in act(as_colleague, message, "suppress", email="ada@example.com")
    assert Suppression.objects.count() == 1


@pytest.mark.parametrize("name", ["retry", "cancel", "suppress"])
def test_a_viewer_changes_nothing(as_viewer: Client, workspace: Workspace, name: str) -> None:
    message = make_waiting(workspace)
    path = f"/w/{workspace.slug}/messages/{message.uid}/{name}/"
    assert as_viewer.post(path, {"email": "ann@example.com"}).status_code == 403
    message.refresh_from_db()
    assert message.status == MessageStatus.DEFERRED


def test_mail_to_somebody_erased_shows_that_it_was_sent_and_no_more(as_viewer: Client, workspace: Workspace) -> None:
    page = open_page(as_viewer, make_message(workspace=workspace, to=[]))
    assert "To somebody erased" in page
    assert "<iframe" not in page


def found_by(client: Client, workspace: Workspace, **asked: Any) -> set[str]:
    """Whose messages a search shows, by what stands before the @."""
    page = look(client, workspace, **asked)
    return {to for to in ("ada", "bob", "cleo") if f">{to}@example.com<" in page}


def test_messages_are_found_by_what_became_of_them(as_viewer: Client, workspace: Workspace) -> None:
    make_message(workspace=workspace, to=["ada@example.com"], delivered_at=SENT, opened_at=SENT)
    make_message(workspace=workspace, to=["bob@example.com"], delivered_at=SENT, bounced_at=SENT, complained_at=SENT)
    later = clock.now() + timedelta(hours=1)
    made = {"created_at": clock.now(), "sent_at": None, "scheduled_at": later, "next_attempt_at": later}
    make_message(workspace=workspace, to=["cleo@example.com"], status=MessageStatus.QUEUED, **made)
    assert found_by(as_viewer, workspace, status="delivered") == {"ada", "bob"}
    assert found_by(as_viewer, workspace, status="opened") == {"ada"}
    assert found_by(as_viewer, workspace, status="clicked") == set()
    assert found_by(as_viewer, workspace, status="bounced") == {"bob"}
    assert found_by(as_viewer, workspace, status="complained") == {"bob"}
    assert found_by(as_viewer, workspace, status="scheduled") == {"cleo"}


def test_messages_are_found_by_domain_key_and_subject(as_viewer: Client, workspace: Workspace) -> None:
    domain = mail.create_domain(workspace=workspace, name="news.example.org", actor=make_actor(), now=NOW)
    desk = make_sender(workspace=workspace)
    type(desk).objects.filter(pk=desk.pk).update(domain=domain)
    make_message(workspace=workspace, to=["ada@example.com"], sender=desk)
    content = make_content(workspace=workspace)
    type(content).objects.filter(pk=content.pk).update(subject="Your receipt, 100 % paid")
    make_message(workspace=workspace, to=["bob@example.com"], api_key_id=7, content=content)
    make_message(workspace=workspace, to=["cleo@example.com"], api_key_id=8)
    letter = make_message(workspace=workspace, to=["cleo@example.com"], status=MessageStatus.QUEUED, sent_at=None)
    Message.objects.filter(pk=letter.pk).update(content=None)
    Letter.objects.create(message_id=letter.pk, workspace=workspace, subject="A letter that waits")
    assert found_by(as_viewer, workspace, domain=domain.pk) == {"ada"}
    assert found_by(as_viewer, workspace, key=7) == {"bob"}
    assert found_by(as_viewer, workspace, key=9) == set()
    assert found_by(as_viewer, workspace, subject="RECEIPT") == {"bob"}
    assert found_by(as_viewer, workspace, subject="100 %") == {"bob"}
    assert found_by(as_viewer, workspace, subject="waits") == {"cleo"}
    assert found_by(as_viewer, workspace, subject="receipt", q="cleo") == set()
    page = look(as_viewer, workspace)
    assert "A letter that waits" in page
    assert "Your receipt, 100 % paid" in page


def test_a_letter_of_a_template_is_listed_under_the_template_s_subject(as_viewer: Client, workspace: Workspace) -> None:
    template = Template.objects.create(
        workspace=workspace,
        name="Hello",
        subject="Hello from a template",
        body="<p>Hi</p>",
        created_at=NOW,
        updated_at=NOW,
    )
    letter = make_message(workspace=workspace, status=MessageStatus.QUEUED, sent_at=None)
    Message.objects.filter(pk=letter.pk).update(content=None)
    Letter.objects.create(message_id=letter.pk, workspace=workspace, template_id=template.pk)
    assert "Hello from a template" in look(as_viewer, workspace)


def test_days_are_those_of_the_workspace(as_viewer: Client, workspace: Workspace) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(timezone="Pacific/Auckland")  # thirteen hours ahead in November
    for day, name in ((1, "ada"), (2, "bob"), (3, "cleo")):
        made = datetime(2026, 11, day, 10, 30, tzinfo=UTC)  # 23:30 there
        make_message(workspace=workspace, message_id=day * 1000, to=[f"{name}@example.com"], created_at=made)
    assert found_by(as_viewer, workspace, since="2026-11-02") == {"bob", "cleo"}
    assert found_by(as_viewer, workspace, until="2026-11-02") == {"ada", "bob"}
    assert found_by(as_viewer, workspace, since="2026-11-02", until="2026-11-02") == {"bob"}
    assert found_by(as_viewer, workspace, since="2026-11-04") == set()
    assert found_by(as_viewer, workspace, until="2026-10-31") == set()
    for nonsense in ("0001-01-01", "9999-12-31", "2026-02-30", "x"):
        assert found_by(as_viewer, workspace, since=nonsense, until=nonsense) == {"ada", "bob", "cleo"}


def test_a_time_is_reached_without_walking_there(as_viewer: Client, workspace: Workspace, monkeypatch: Any) -> None:
    monkeypatch.setattr("postroom.core.mail.selectors.searches.WALK", 5)
    sender, content = make_sender(workspace=workspace), make_content(workspace=workspace)
    for number in range(60):
        made = NOW - timedelta(days=60 - number)
        to = ["ada@example.com" if number == 10 else "x@example.com"]
        make_message(
            workspace=workspace, sender=sender, content=content, message_id=10_000 + 37 * number, to=to, created_at=made
        )
    on = f"{NOW - timedelta(days=50):%Y-%m-%d}"
    assert found_by(as_viewer, workspace, since=on, until=on) == {"ada"}


def test_the_number_of_messages_is_told_as_far_as_it_is_counted(
    as_viewer: Client, workspace: Workspace, monkeypatch: Any
) -> None:
    for _ in range(3):
        make_message(workspace=workspace)
    assert "3 messages" in look(as_viewer, workspace)
    assert "3 messages" in look(as_viewer, workspace, status="sent")
    monkeypatch.setattr("postroom.core.mail.selectors.searches.WALK", 2)
    assert "2 or more messages" in look(as_viewer, workspace, status="sent")


def test_the_first_page_asks_again_for_what_is_new_and_older_ones_do_not(
    as_viewer: Client, workspace: Workspace
) -> None:
    first = make_message(workspace=workspace)
    make_message(workspace=workspace, to=["new@example.com"])
    assert 'hx-trigger="every 5s"' in look(as_viewer, workspace)
    assert "hx-trigger" not in look(as_viewer, workspace, before=first.pk + 1)
    part = as_viewer.get(f"/w/{workspace.slug}/messages/", {"status": "sent"}, headers={"HX-Request": "true"})
    text = part.content.decode()
    assert text.strip().startswith('<div id="found" hx-get="')
    assert "?status=sent" in text
    assert "new@example.com" in text


def test_a_file_has_what_the_list_shows_and_no_formula(as_colleague: Client, workspace: Workspace) -> None:
    content = make_content(workspace=workspace)
    type(content).objects.filter(pk=content.pk).update(subject='=HYPERLINK("http://evil.example")')
    make_message(workspace=workspace, to=["ada@example.com"], content=content, bounced_at=SENT, bounce_code="5.1.1")
    make_message(workspace=workspace, to=["bob@example.com"], status=MessageStatus.FAILED, sent_at=None)
    path = f"/w/{workspace.slug}/messages/export/"
    answer = as_colleague.post(path)
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="messages-')
    rows = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["to"] for row in rows] == ["bob@example.com", "ada@example.com"]
    assert rows[1]["subject"].startswith("'=HYPERLINK")
    assert (rows[1]["bounce_code"], rows[1]["bounced"]) == ("5.1.1", SENT.isoformat())
    entry = AuditEntry.objects.get(act="message.exported")
    assert (entry.after, entry.door) == ({"rows": 2}, "web")
    only = as_colleague.post(f"{path}?status=bounced").content.decode("utf-8-sig")
    assert "ada@example.com" in only
    assert "bob@example.com" not in only


def test_a_file_ends_at_its_bound(as_colleague: Client, workspace: Workspace, monkeypatch: Any) -> None:
    monkeypatch.setattr("postroom.web.messages.views.MOST_ROWS", 3)
    sender, content = make_sender(workspace=workspace), make_content(workspace=workspace)
    for number in range(5):
        make_message(workspace=workspace, sender=sender, content=content, to=[f"p{number}@example.com"])
    text = as_colleague.post(f"/w/{workspace.slug}/messages/export/").content.decode("utf-8-sig")
    assert [row["to"] for row in csv.DictReader(StringIO(text))] == [f"p{n}@example.com" for n in (4, 3, 2)]


def test_a_viewer_takes_no_file_out(as_viewer: Client, workspace: Workspace) -> None:
    make_message(workspace=workspace)
    assert "Download CSV" not in look(as_viewer, workspace)
    assert as_viewer.post(f"/w/{workspace.slug}/messages/export/").status_code == 403


def test_the_mail_is_shown_as_text_and_as_source_too(as_viewer: Client, workspace: Workspace) -> None:
    message = make_message(workspace=workspace)
    html = "<p>Hello <b>Ada</b></p><script>alert(1)</script>"
    type(message.content).objects.filter(pk=message.content_id).update(html=html, text="Hello <Ada>")
    path = f"/w/{workspace.slug}/messages/{message.uid}"
    text, source = (as_viewer.get(f"{path}/{part}/") for part in ("text", "source"))
    assert "Hello &lt;Ada&gt;" in text.content.decode()
    assert "&lt;b&gt;Ada&lt;/b&gt;" in source.content.decode()
    for answer in (text, source, as_viewer.get(f"{path}/body/")):
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("sandbox; default-src 'none'")
        assert "script-src" not in policy


def test_attachments_are_listed_and_handed_over_harmlessly(as_viewer: Client, workspace: Workspace) -> None:
    sender = mail.ensure_sandbox_sender(workspace=workspace, actor=make_actor(), now=NOW)
    files = (
        Attachment("bill.pdf", "application/pdf", b"%PDF"),
        Attachment("página.html", "text/html", b"<script>alert(1)</script>"),
        Attachment("logo.png", "image/png", b"png", "logo"),
    )
    new = NewMessage(
        sender_id=sender.pk,
        message_class=MessageClass.TRANSACTIONAL,
        to=("ada@example.com",),
        composition=Composition(subject="Bill", body="<p>Here</p>"),
        attachments=files,
    )
    (accepted,) = mail.accept_messages(workspace=workspace, messages=[new], actor=make_actor(), now=NOW)
    page = open_page(as_viewer, Message.objects.get(pk=accepted.id))
    assert "bill.pdf" in page
    assert "shown in the mail" in page
    path = f"/w/{workspace.slug}/messages/{accepted.uid}/files"
    bill, script = as_viewer.get(f"{path}/0/"), as_viewer.get(f"{path}/1/")
    assert (bill.content, bill.headers["Content-Type"]) == (b"%PDF", "application/pdf")
    assert script.headers["Content-Type"] == "application/octet-stream"
    for answer in (bill, script):
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert as_viewer.get(f"{path}/3/").status_code == 404


def test_the_header_is_shown_as_it_left(as_viewer: Client, workspace: Workspace) -> None:
    message = make_message(workspace=workspace)
    assert "Message-ID</th>" in open_page(as_viewer, message)
    raw = b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nX-Odd: <b>\r\n\r\nThe body stays out."
    SandboxMail.objects.create(workspace=workspace, message_id=message.pk, raw=raw, size=len(raw), received_at=NOW)
    page = open_page(as_viewer, message)
    assert "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nX-Odd: &lt;b&gt;" in page
    assert "The body stays out." not in page


def test_a_message_says_which_key_it_came_by(
    as_colleague: Client, as_owner: Client, owner: User, workspace: Workspace
) -> None:
    new = NewKey(door=Door.USESEND, name="Shop")
    key, _ = workspaces.create_api_key(workspace=workspace, user=owner, new=new, actor=make_actor(owner), now=NOW)
    message = make_message(workspace=workspace, api_key_id=key.pk)
    link = f"/w/{workspace.slug}/keys/{key.uid}/"
    assert link in open_page(as_owner, message)
    page = open_page(as_colleague, message)
    assert "Shop" in page
    assert link not in page, "which is somebody else's"
    assert "with the key Shop" in page
    foreign = make_message(workspace=workspace, api_key_id=10**9)
    assert "one that is gone" in open_page(as_owner, foreign)


def test_a_scheduled_message_is_sent_at_another_time(as_colleague: Client, workspace: Workspace) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(timezone="Europe/Berlin")
    soon = clock.now() + timedelta(days=1)
    message = make_waiting(
        workspace, status=MessageStatus.QUEUED, tries=0, created_at=clock.now(), scheduled_at=soon, next_attempt_at=soon
    )
    page = open_page(as_colleague, message)
    assert "Scheduled" in page
    assert "Send it at another time" in page
    assert "It goes out 2 Jan 2027 at 09:00." in act(as_colleague, message, "reschedule", at="2027-01-02T09:00")
    message.refresh_from_db()
    assert message.next_attempt_at == message.scheduled_at == datetime(2027, 1, 2, 8, 0, tzinfo=UTC)
    assert "Say the day and the time" in act(as_colleague, message, "reschedule", at="soon")
    sent = make_message(workspace=workspace)
    assert "Send it at another time" not in open_page(as_colleague, sent)
    act(as_colleague, sent, "reschedule", at="2027-01-02T09:00")
    sent.refresh_from_db()
    assert sent.scheduled_at is None


def test_a_message_under_way_is_watched_and_one_at_rest_is_not(as_viewer: Client, workspace: Workspace) -> None:
    now = {"created_at": clock.now(), "sent_at": None, "next_attempt_at": clock.now()}
    assert "every 2s" in open_page(as_viewer, make_message(workspace=workspace, status=MessageStatus.QUEUED, **now))
    assert "every 2s" in open_page(as_viewer, make_message(workspace=workspace, status=MessageStatus.WIRE, **now))
    assert "every 2s" not in open_page(as_viewer, make_message(workspace=workspace))
    assert "every 2s" not in open_page(as_viewer, make_waiting(workspace))


def test_a_message_that_no_sender_took_yet_shows_its_words_all_the_same(
    as_viewer: Client, owner: User, workspace: Workspace
) -> None:
    said = Submission(
        from_address="Shop <shop@example.com>",
        to=("Ada <ada@example.com>",),
        subject="50 % off {{ everything }}",
        html="<p>Only <b>today</b></p>",
        text="Only today",
        scheduled_at=clock.now() + timedelta(days=1),
    )
    (uid,) = mail.submit_messages(workspace=workspace, submissions=[said], actor=make_actor(owner), now=clock.now())
    message = Message.objects.get(uid=uid)
    assert message.content_id is None
    page = open_page(as_viewer, message)
    assert "50 % off {{ everything }}" in page
    assert "Scheduled</span>" in page
    assert "Ada &lt;ada@example.com&gt;" in page
    assert "50 % off {{ everything }}" in look(as_viewer, workspace)
    body, text = (as_viewer.get(f"/w/{workspace.slug}/messages/{uid}/{part}/") for part in ("body", "text"))
    assert "<b>today</b>" in body.content.decode()
    assert "Only today" in text.content.decode()
