"""Hits: stored as they come, applied once, in any order, and never lost while their message is on its way."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from django.db import connections

from postroom.core.mail.models import DeliveryEvent, Message, Recipient, StoredHit
from postroom.core.mail.services.facts import apply_hits
from postroom.core.mail.services.hits import store_hits
from postroom.core.mail.types import EventType, Hit, MessageStatus
from tests.factories import make_workspace
from tests.ledger import SENT, make_batch, make_message
from tests.processes import child_environment

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
LATER = SENT + timedelta(hours=2)
FACTS = (
    *("sent_at", "delivered_at", "bounced_at", "bounce_code", "complained_at", "unsubscribed_at", "replied_at"),
    *("opened_at", "machine_opened_at", "clicked_at", "scanner_clicked_at"),
    *("open_count", "machine_open_count", "click_count", "scanner_click_count"),
)


def hit(message: Message, event_type: EventType, *, minutes: float = 10, key: str = "", **fields: object) -> Hit:
    """Return a person's event, some minutes after the hand-over."""
    at = SENT + timedelta(minutes=minutes)
    values: dict[str, object] = {"agent": BROWSER, "ip": "192.0.2.0", **fields}
    return Hit(f"{message.pk}-{key or f'{event_type}-{minutes}'}", event_type, message.pk, at, **values)  # type: ignore[arg-type]


def facts(message: Message) -> dict[str, object]:
    """Return the fact columns of a message as they are stored now."""
    return Message.objects.values(*FACTS).get(pk=message.pk)


def apply_all(now: datetime = LATER) -> None:
    """Apply until nothing is due."""
    while apply_hits(now=now):
        pass


@pytest.mark.django_db
def test_a_hit_becomes_one_event_and_raises_the_facts_of_its_message() -> None:
    message = make_message(workspace=make_workspace())
    store_hits(hits=[hit(message, EventType.CLICKED, link_index=3, data={"method": "GET"})])

    assert apply_hits(now=LATER) == 1

    event = DeliveryEvent.objects.get(message_id=message.pk)
    assert (event.type, event.link_index, event.agent, event.ip) == (EventType.CLICKED, 3, BROWSER, "192.0.2.0")
    assert event.workspace_id == message.workspace_id
    assert event.data == {"method": "GET"}
    message.refresh_from_db()
    assert (message.click_count, message.clicked_at) == (1, SENT + timedelta(minutes=10))
    assert (message.scanner_click_count, message.opened_at) == (0, None)
    assert not StoredHit.objects.exists()
    assert apply_hits(now=LATER) == 0


@pytest.mark.django_db
def test_every_order_of_arrival_ends_in_the_same_facts() -> None:
    workspace = make_workspace()
    kinds = (EventType.DELIVERED, EventType.OPENED, EventType.CLICKED, EventType.BOUNCED)
    ends = []
    for order in permutations(range(4)):
        message = make_message(workspace=workspace)
        for place in order:
            store_hits(hits=[hit(message, kinds[place], minutes=place + 1, data={"status": f"5.1.{place}"})])
            apply_all()
        ends.append(facts(message))

    assert len(ends) == 24
    assert ends == [ends[0]] * 24
    assert ends[0]["bounce_code"] == "5.1.3"
    assert [ends[0][name] for name in ("open_count", "click_count")] == [1, 1]


@pytest.mark.django_db
def test_the_first_bounce_and_the_first_open_stand_whichever_comes_in_first() -> None:
    workspace = make_workspace()
    hits = [
        (EventType.BOUNCED, 9, "5.2.2"),
        (EventType.BOUNCED, 4, "5.1.1"),
        (EventType.OPENED, 8, ""),
        (EventType.OPENED, 2, ""),
    ]
    ends = []
    for group_size in (1, 2, 4):
        for order in (hits, hits[::-1]):
            message = make_message(workspace=workspace)
            waiting = [hit(message, kind, minutes=minutes, data={"status": code}) for kind, minutes, code in order]
            for start in range(0, len(waiting), group_size):
                store_hits(hits=waiting[start : start + group_size])
                apply_all()
            ends.append(facts(message))

    assert ends == [ends[0]] * 6
    assert ends[0]["bounce_code"] == "5.1.1"
    assert ends[0]["bounced_at"] == SENT + timedelta(minutes=4)
    assert (ends[0]["open_count"], ends[0]["opened_at"]) == (2, SENT + timedelta(minutes=2))


@pytest.mark.django_db
def test_equal_keys_count_once_in_one_group_and_across_groups() -> None:
    message = make_message(workspace=make_workspace())
    twin = [hit(message, EventType.OPENED, key="same", minutes=minutes) for minutes in (5, 5, 7)]
    store_hits(hits=twin)
    apply_all()
    store_hits(hits=twin)
    apply_all()

    assert facts(message)["open_count"] == 1
    assert DeliveryEvent.objects.filter(message_id=message.pk).count() == 1


@pytest.mark.django_db
def test_a_hit_waits_for_a_message_that_is_still_being_sent() -> None:
    workspace = make_workspace()
    batch = make_batch(workspace=workspace)
    Recipient.objects.create(id=77, batch=batch, chunk_number=0, contact_id=1, email="ann@example.com")
    early = Hit("early", EventType.OPENED, 77, SENT + timedelta(minutes=1), agent=BROWSER)
    store_hits(hits=[early])

    assert apply_hits(now=LATER) == 1
    assert apply_hits(now=LATER) == 0, "it is not looked at again before its time"
    assert StoredHit.objects.get().attempts == 1

    make_message(workspace=workspace, message_id=77, batch=batch)
    apply_all(LATER + timedelta(seconds=2))
    assert Message.objects.get(pk=77).open_count == 1
    assert DeliveryEvent.objects.get(message_id=77).batch_id == batch.pk


@pytest.mark.django_db
def test_a_hit_of_a_message_in_flight_waits_however_long_it_takes() -> None:
    batch = make_batch(workspace=make_workspace())
    Recipient.objects.create(id=78, batch=batch, chunk_number=0, contact_id=1, email="ann@example.com")
    store_hits(hits=[Hit("early", EventType.OPENED, 78, SENT)])

    apply_all(SENT + timedelta(days=90))

    assert StoredHit.objects.get().next_attempt_at == SENT + timedelta(days=90, seconds=1)


@pytest.mark.django_db
def test_an_open_is_not_judged_before_the_hand_over_is_written_down() -> None:
    message = make_message(workspace=make_workspace(), status=MessageStatus.WIRE, sent_at=None)
    store_hits(hits=[hit(message, EventType.OPENED, minutes=0.001)])
    apply_all()
    assert facts(message)["machine_open_count"] == 0

    Message.objects.filter(pk=message.pk).update(status=MessageStatus.SENT, sent_at=SENT)
    apply_all(LATER + timedelta(seconds=2))

    assert facts(message)["machine_open_count"] == 1
    assert facts(message)["open_count"] == 0


@pytest.mark.django_db
def test_hits_of_unknown_messages_are_set_aside_after_an_hour_and_dropped_after_a_month() -> None:
    store_hits(hits=[Hit("stray", EventType.OPENED, 404, SENT)])

    apply_all(SENT + timedelta(minutes=59))
    assert StoredHit.objects.get().next_attempt_at < SENT + timedelta(hours=1)
    apply_all(SENT + timedelta(hours=1, minutes=1))
    assert StoredHit.objects.get().next_attempt_at > SENT + timedelta(days=30)
    apply_all(SENT + timedelta(days=31))
    assert not StoredHit.objects.exists()


@pytest.mark.django_db
def test_machines_and_scanners_are_counted_apart() -> None:
    message = make_message(workspace=make_workspace())
    store_hits(
        hits=[
            hit(message, EventType.OPENED, minutes=5),
            hit(message, EventType.OPENED, minutes=0.001),
            hit(message, EventType.CLICKED, minutes=6, data={"method": "HEAD"}),
            hit(message, EventType.CLICKED, minutes=7, is_bot=True),
            hit(message, EventType.CLICKED, minutes=8, data={"method": "GET"}),
        ]
    )
    apply_all()

    found = facts(message)
    assert (found["open_count"], found["machine_open_count"]) == (1, 1)
    assert (found["click_count"], found["scanner_click_count"]) == (1, 2)
    assert found["opened_at"] == SENT + timedelta(minutes=5)
    assert found["clicked_at"] == SENT + timedelta(minutes=8)


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["a\0b", "\udc80", '\\u0000"', "x" * 5_000, "é" * 700])
def test_no_text_a_stranger_can_send_spoils_the_commit_of_the_others(text: str) -> None:
    message = make_message(workspace=make_workspace())
    hostile = hit(message, EventType.OPENED, minutes=5, agent=text, data={"reason": text}, key=text)
    store_hits(hits=[hostile, hit(message, EventType.OPENED, minutes=6)])
    apply_all()

    assert facts(message)["open_count"] + facts(message)["machine_open_count"] == 2  # type: ignore[operator]


@pytest.mark.django_db(transaction=True)
def test_many_appliers_at_once_apply_each_hit_once() -> None:
    workspace = make_workspace()
    messages = [make_message(workspace=workspace) for _ in range(5)]
    for round_ in range(4):
        store_hits(
            hits=[hit(message, EventType.OPENED, key=f"open-{round_ % 2}", minutes=5 + round_) for message in messages]
        )
        store_hits(hits=[hit(message, EventType.CLICKED, key=f"click-{round_}", minutes=9) for message in messages])

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(_apply_in_thread, range(4)))

    assert not StoredHit.objects.exists()
    assert [facts(message)["open_count"] for message in messages] == [2] * 5
    assert [facts(message)["click_count"] for message in messages] == [4] * 5


def _apply_in_thread(_: int) -> None:
    try:
        while apply_hits(now=LATER, limit=3):
            pass
    finally:
        connections.close_all()


CHILD = """
import django, sys, time
django.setup()
from datetime import datetime
from django.db import transaction
from postroom.core.mail.services.facts import apply_hits
with transaction.atomic():
    print(apply_hits(now=datetime.fromisoformat(sys.argv[1])), flush=True)
    time.sleep(60)
"""


@pytest.mark.django_db(transaction=True)
def test_hits_of_an_applier_that_was_killed_are_applied_once_by_the_next() -> None:
    message = make_message(workspace=make_workspace())
    store_hits(hits=[hit(message, EventType.OPENED, minutes=minutes) for minutes in range(3, 13)])
    with _child([sys.executable, "-c", CHILD, LATER.isoformat()]) as child:
        assert child.stdout is not None
        assert child.stdout.readline().strip() == b"10"
        child.send_signal(signal.SIGKILL)

    assert facts(message)["open_count"] == 0
    apply_all()
    assert facts(message)["open_count"] == 10
    assert DeliveryEvent.objects.filter(message_id=message.pk).count() == 10


def _child(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, **child_environment()})
