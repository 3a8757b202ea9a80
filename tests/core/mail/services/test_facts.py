"""Facts about messages: from servers, providers and readers, in any order, told twice, and about mail in doubt."""

from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from django.forms.models import model_to_dict

from postroom.core.contacts.models import Suppression
from postroom.core.mail.models import DeliveryEvent, Message
from postroom.core.mail.selectors import count_batch
from postroom.core.mail.services import apply_hits, facts, store_hits
from postroom.core.mail.types import EventType, Hit, MessageClass, MessageStatus
from tests.factories import NOW, make_workspace
from tests.ledger import SENT, make_batch, make_message

pytestmark = pytest.mark.django_db

FORGOTTEN = ("id", "uid", "message_id_header", "sender", "content", "batch")


def tell(*hits: Hit) -> None:
    """Tell one after the other, each applied before the next."""
    for hit in hits:
        store_hits(hits=[hit])
        apply_hits(now=NOW + timedelta(days=1))


def hit(message: Message, type_: EventType, seconds: float, **data: Any) -> Hit:
    """Return an event of a message, ``seconds`` after it was sent."""
    at = SENT + timedelta(seconds=seconds)
    return Hit(
        f"{message.pk}:{type_}:{seconds}",
        type_,
        message.pk,
        at,
        agent="Mozilla/5.0 (X11; Linux) Firefox/140",
        data=data,
    )


def state(message: Message) -> dict[str, Any]:
    """What the ledger says of a message, but for its names."""
    message.refresh_from_db()
    return {name: value for name, value in model_to_dict(message).items() if name not in FORGOTTEN}


@pytest.mark.parametrize(
    "changes",
    [
        {"delivered_at": SENT},
        {"delivered_at": None},
        {"status": MessageStatus.IN_DOUBT, "sent_at": None, "reply_code": 0},
    ],
    ids=["smtp", "provider", "in doubt"],
)
def test_all_24_orders_of_delivered_sent_open_and_bounce_end_in_the_same_state(changes: dict[str, Any]) -> None:
    workspace = make_workspace()
    events = [
        (EventType.SENT, 0.2),
        (EventType.DELIVERED, 0.4),
        (EventType.OPENED, 0.9),
        (EventType.BOUNCED, 60.0),
    ]
    ends = []
    for order in permutations(events):
        message = make_message(workspace=workspace, **changes)
        tell(*(hit(message, type_, seconds, status="5.2.2", source="stub") for type_, seconds in order))
        ends.append(state(message))
    assert len(ends) == 24
    assert [end for end in ends if end != ends[0]] == []
    assert ends[0]["status"] == MessageStatus.SENT
    assert ends[0]["bounced_at"] == SENT + timedelta(minutes=1)


def test_events_that_come_ten_times_and_a_week_later_change_the_state_once() -> None:
    message = make_message(workspace=make_workspace(), delivered_at=None)
    bounce = hit(message, EventType.BOUNCED, 60, status="5.1.1", is_permanent=True, source="stub")
    tell(bounce)
    before = state(message)
    Suppression.objects.all().delete()  # somebody took it back on purpose
    tell(*[bounce] * 9)
    apply_hits(now=NOW + timedelta(days=8))
    assert state(message) == before
    assert DeliveryEvent.objects.filter(message_id=message.pk).count() == 1
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    "type_", [EventType.SENT, EventType.DELIVERED, EventType.OPENED, EventType.CLICKED, EventType.REPLIED]
)
def test_what_became_of_a_message_in_doubt_proves_that_it_left(type_: EventType) -> None:
    workspace = make_workspace()
    batch = make_batch(workspace=workspace, total=1)
    message = make_message(workspace=workspace, batch=batch, status=MessageStatus.IN_DOUBT, sent_at=None, reply_code=0)
    tell(hit(message, type_, 30))
    message.refresh_from_db()
    assert (message.status, message.sent_at) == (MessageStatus.SENT, SENT + timedelta(seconds=30))
    assert count_batch(batch_id=batch.pk).in_doubt == 0


@pytest.mark.parametrize(
    "waiting",
    [
        {"status": MessageStatus.DEFERRED, "is_resent": True},
        {"status": MessageStatus.DEFERRED, "safe_until": NOW + timedelta(minutes=25)},
        {"status": MessageStatus.QUEUED, "safe_until": NOW + timedelta(minutes=25)},
    ],
)
def test_a_message_that_waits_for_its_repeat_after_doubt_is_not_repeated_once_it_is_proven(
    waiting: dict[str, Any],
) -> None:
    message = make_message(
        workspace=make_workspace(),
        message_class=MessageClass.TRANSACTIONAL,
        sent_at=None,
        reply_code=0,
        next_attempt_at=NOW,
        **waiting,
    )
    tell(hit(message, EventType.DELIVERED, 3))
    message.refresh_from_db()
    assert (message.status, message.next_attempt_at, message.safe_until) == (MessageStatus.SENT, None, None)
    assert message.sent_at is not None


def test_a_deferral_that_a_provider_reports_proves_nothing_and_is_in_the_trail() -> None:
    message = make_message(workspace=make_workspace(), status=MessageStatus.IN_DOUBT, sent_at=None, reply_code=0)
    tell(hit(message, EventType.DEFERRED, 3, source="stub"))
    message.refresh_from_db()
    assert message.status == MessageStatus.IN_DOUBT
    assert DeliveryEvent.objects.get(message_id=message.pk).type == EventType.DEFERRED


@pytest.mark.parametrize(
    ("type_", "told", "reason"),
    [
        (EventType.BOUNCED, {"status": "5.1.1", "is_permanent": True}, "hard_bounce"),
        (EventType.BOUNCED, {"status": "", "reason": "User unknown", "is_permanent": True}, "hard_bounce"),
        (EventType.BOUNCED, {"status": "", "reason": "", "is_permanent": True}, "hard_bounce"),
        (EventType.BOUNCED, {"status": "5.2.2", "is_permanent": True}, ""),
        (EventType.BOUNCED, {"status": "5.7.1", "reason": "blocked", "is_permanent": True}, ""),
        (EventType.BOUNCED, {"status": "4.2.2", "is_permanent": False}, ""),
        (EventType.BOUNCED, {"status": "", "reason": "User unknown", "is_permanent": False}, ""),
        (EventType.FAILED, {"status": "", "reason": "on our suppression list", "is_permanent": True}, ""),
        (EventType.COMPLAINED, {}, "complaint"),
    ],
)
def test_a_provider_s_word_suppresses_only_bad_addresses_and_complainers(
    type_: EventType, told: dict[str, Any], reason: str
) -> None:
    message = make_message(workspace=make_workspace())
    tell(hit(message, type_, 60, source="stub", **told))
    assert [row.reason for row in Suppression.objects.all()] == ([reason] if reason else [])


def test_of_several_recipients_the_one_that_is_named_is_suppressed() -> None:
    message = make_message(workspace=make_workspace(), to=["ann@example.com", "bob@example.com"])
    told = {"status": "5.1.1", "is_permanent": True, "source": "stub"}
    tell(hit(message, EventType.BOUNCED, 60, **told), hit(message, EventType.BOUNCED, 61, recipient="x@y.z", **told))
    assert not Suppression.objects.exists()
    tell(hit(message, EventType.BOUNCED, 62, recipient="Bob@example.com", **told))
    assert Suppression.objects.count() == 1


def test_the_one_who_got_it_is_heeded_however_the_provider_spells_the_address() -> None:
    message = make_message(workspace=make_workspace(), to=["ann@xn--bcher-kva.example"])
    tell(hit(message, EventType.COMPLAINED, 60, source="stub", recipient="ann@bücher.example"))
    assert Suppression.objects.get().reason == "complaint"


def test_what_a_provider_gave_up_counts_as_bounced() -> None:
    message = make_message(workspace=make_workspace())
    tell(hit(message, EventType.FAILED, 60, source="stub", status="5.0.0"))
    message.refresh_from_db()
    assert (message.bounced_at, message.bounce_code) == (SENT + timedelta(minutes=1), "5.0.0")


def test_no_more_than_so_many_opens_and_clicks_of_a_message_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "MOST_EVENTS", 20)
    message = make_message(workspace=make_workspace())
    for start in (0, 15, 30):
        store_hits(
            hits=[
                Hit(f"{type_}:{number}:{agent}", type_, message.pk, _at(number), agent=agent)
                for number in range(start, start + 15)
                for type_ in (EventType.OPENED, EventType.CLICKED)
                for agent in ("Mozilla/5.0 (X11; Linux) Firefox/140", "curl/8")
            ]
        )
        apply_hits(now=NOW + timedelta(days=1))
    message.refresh_from_db()
    counts = (message.open_count, message.machine_open_count, message.click_count, message.scanner_click_count)
    assert counts == (20, 20, 20, 20)
    assert DeliveryEvent.objects.filter(message_id=message.pk).count() == 80


def _at(number: int) -> datetime:
    return SENT + timedelta(minutes=1, seconds=number)
