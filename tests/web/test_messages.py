"""The pages of the ledger: looked through, and one message with everything about it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from postroom.core.contacts.models import Suppression
from postroom.core.mail.models import DeliveryEvent, Message
from postroom.core.mail.ports import Handover, Outcome, Result
from postroom.core.mail.services.transcripts import keep_transcripts
from postroom.core.mail.types import BatchStatus, MessageClass, MessageStatus
from postroom.core.workspaces.models import AuditEntry, Workspace
from postroom.kit import clock
from tests.factories import NOW, make_contact
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
    assert len(queries) <= 17


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
    assert len(queries) <= 17


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
