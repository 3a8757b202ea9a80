"""Webhooks hear what becomes of mail, in the transaction that books it, and campaigns hardly notice."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.core.mail import services as mail
from postroom.core.mail.models import Message
from postroom.core.mail.ports import Handover, Outcome, Result
from postroom.core.mail.types import ChunkClaim, EventType, Hit, MessagesClaim, MessageStatus
from postroom.core.webhooks import selectors as listeners
from postroom.core.webhooks.models import Call
from postroom.core.webhooks.selectors import ears
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.core.webhooks.making import make_endpoint
from tests.factories import NOW, make_contact, make_workspace
from tests.ledger import SENT, make_content, make_message
from tests.senders import make_campaign, make_smtp_sender

pytestmark = pytest.mark.django_db

READER = "Mozilla/5.0 (X11; Linux) Firefox/140"
LATER = NOW + timedelta(days=1)


def heard(**which: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return what was told, in order."""
    return [(call.type, call.data) for call in Call.objects.filter(**which).order_by("created_at", "type")]


def book(row: Message, *results: Result | None, refusal: str = "") -> None:
    """Have a queued message claimed, handed over and booked, once for each result."""
    for result in results:
        Message.objects.filter(pk=row.pk).update(status=MessageStatus.CLAIMED, owner="s", attempt=1)
        handover = Handover(row.pk, SENT.timestamp(), result, refusal)
        claim = MessagesClaim(owner="s", attempts={row.pk: 1})
        assert mail.finish_messages(claim=claim, handovers=[handover], now=SENT)


@pytest.mark.parametrize(
    ("result", "types"),
    [
        (Result(Outcome.SENT, 250, text="OK"), ["email.delivered", "email.sent"]),
        (Result(Outcome.SENT, 250, text="OK", is_relayed=True), ["email.sent"]),
        (Result(Outcome.DEFERRED, 451, "4.7.1", "Later"), ["email.delivery_delayed"]),
        (Result(Outcome.FAILED, 550, "5.1.1", "No such user"), ["email.bounced"]),
        (Result(Outcome.FAILED, 550, "5.7.26", "Unauthenticated mail"), ["email.rejected"]),
        (Result(Outcome.FAILED, text="Cannot be sent"), ["email.failed"]),
        (None, ["email.suppressed"]),
    ],
)
def test_the_end_of_a_hand_over_is_told(result: Result | None, types: Sequence[str]) -> None:
    room = make_workspace()
    make_endpoint(workspace=room)
    row = make_message(workspace=room, status=MessageStatus.QUEUED, sent_at=None, reply_code=0)
    book(row, result, refusal="" if result else "hard_bounce")
    told = heard()
    assert [type_ for type_, _ in told] == types
    for _, data in told:
        assert data["message"] == str(row.uid)
        assert (data["to"], data["subject"], data["from"]) == (["ann@example.com"], "News", "desk@example.com")


def test_a_delay_is_told_once() -> None:
    room = make_workspace()
    make_endpoint(workspace=room)
    row = make_message(workspace=room, status=MessageStatus.QUEUED, sent_at=None, reply_code=0)
    delay = Result(Outcome.DEFERRED, 451, "4.7.1", "Later")
    book(row, delay, delay, delay)
    assert [type_ for type_, _ in heard()] == ["email.delivery_delayed"]


def test_what_readers_and_providers_do_is_told_once_and_machines_are_left_out() -> None:
    room = make_workspace()
    make_endpoint(workspace=room)
    person = make_contact(workspace=room)
    content = make_content(workspace=room, urls=("https://example.com/a", "https://example.com/b"))
    row = make_message(workspace=room, content=content, contact=person)
    at = SENT + timedelta(minutes=5)
    hits = [
        Hit("o", EventType.OPENED, row.pk, at, agent=READER, ip="192.0.2.1"),
        Hit("c", EventType.CLICKED, row.pk, at, agent=READER, ip="192.0.2.1", link_index=1),
        Hit("m", EventType.OPENED, row.pk, at, agent="Mozilla/5.0"),
        Hit("b", EventType.BOUNCED, row.pk, at, data={"source": "resend", "status": "5.1.1", "is_permanent": True}),
        Hit("x", EventType.COMPLAINED, row.pk, at, data={"source": "resend"}),
        Hit("d", EventType.DELIVERED, row.pk, at, data={"source": "resend"}),
        Hit("u", EventType.UNSUBSCRIBED, row.pk, at),
    ]
    for _ in range(2):
        mail.store_hits(hits=hits)
        mail.apply_hits(now=LATER)
    told = dict(heard(type__startswith="email."))
    assert sorted(type_ for type_, _ in heard(type__startswith="email.")) == [
        *("email.bounced", "email.clicked", "email.complained", "email.delivered", "email.opened")
    ]
    assert (told["email.clicked"]["url"], told["email.clicked"]["agent"]) == ("https://example.com/b", READER)
    assert (told["email.opened"]["ip"], told["email.opened"]["contact"]) == ("192.0.2.1", str(person.uid))
    assert told["email.bounced"]["status"] == "5.1.1"
    assert {call.contact_id for call in Call.objects.all()} == {person.pk}


def test_a_cancelled_message_is_told() -> None:
    room = make_workspace()
    make_endpoint(workspace=room)
    row = make_message(workspace=room, status=MessageStatus.QUEUED, sent_at=None, reply_code=0, next_attempt_at=NOW)
    mail.cancel_message(workspace=room, uid=row.uid, actor=SYSTEM, now=NOW)
    assert [type_ for type_, _ in heard()] == ["email.cancelled"]


def test_tests_and_mail_of_the_erased_are_no_news() -> None:
    room = make_workspace()
    make_endpoint(workspace=room)
    cases: tuple[dict[str, Any], ...] = ({"is_test": True}, {"to": []})
    for changes in cases:
        row = make_message(workspace=room, status=MessageStatus.QUEUED, sent_at=None, reply_code=0, **changes)
        book(row, Result(Outcome.SENT, 250, text="OK"))
    assert heard() == []


def test_domains_are_told_from_their_making_to_their_end() -> None:
    room = make_workspace()
    make_endpoint(workspace=room, mail_domains=("news.example.com",))
    for name in ("news.example.com", "other.example.com"):
        domain = mail.create_domain(workspace=room, name=name, actor=SYSTEM, now=NOW)
        mail.delete_domain(workspace=room, uid=domain.uid, actor=SYSTEM, now=NOW)
    assert [(type_, data["name"]) for type_, data in heard()] == [
        ("domain.created", "news.example.com"),
        ("domain.deleted", "news.example.com"),
    ]
    assert {data["state"] for _, data in heard()} == {"pending"}


def _claim_chunk(room: Workspace, people: int) -> tuple[ChunkClaim, list[Handover]]:
    from postroom.core.mail.models import Chunk, Recipient
    from postroom.core.mail.types import ChunkStatus

    batch = make_campaign(room, make_smtp_sender(room, 2525, name=f"Desk {people} {room.pk}"), people)
    chunk = Chunk.objects.filter(batch=batch).order_by("number").first()
    assert chunk is not None
    Chunk.objects.filter(pk=chunk.pk).update(status=ChunkStatus.CLAIMED, owner="s", attempt=1)
    numbers = Recipient.objects.filter(batch=batch, chunk_number=chunk.number).values_list("pk", flat=True)
    sent = Result(Outcome.SENT, 250, text="OK")
    return ChunkClaim(chunk_id=chunk.pk, owner="s", attempt=1), [
        Handover(number, SENT.timestamp(), sent) for number in numbers
    ]


def test_a_campaigns_chunk_is_told_by_one_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ears, "KNOWN_FOR_S", 60.0)
    room = make_workspace()
    claim, handovers = _claim_chunk(room, 60)
    make_endpoint(workspace=room, event_types=("email.sent", "email.delivered"))
    with CaptureQueriesContext(connection) as queries:
        assert mail.finish_chunk(claim=claim, handovers=handovers, now=SENT)
    assert sum("webhooks_call" in one["sql"] for one in queries) == 1
    assert Call.objects.filter(type="email.sent").count() == Call.objects.filter(type="email.delivered").count() == 60


def test_a_campaign_that_nobody_hears_of_pays_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ears, "KNOWN_FOR_S", 60.0)
    room, other = make_workspace(), make_workspace()
    make_endpoint(workspace=other)
    make_endpoint(workspace=room, event_types=("email.opened",))
    claim, handovers = _claim_chunk(room, 5)
    listeners.is_heard(workspace_ids=())  # who listens is looked up once a second
    with CaptureQueriesContext(connection) as queries:
        assert mail.finish_chunk(claim=claim, handovers=handovers, now=SENT)
    assert [one for one in queries if "webhooks_" in one["sql"]] == []
    assert not Call.objects.exists()
