"""W5 and W6: a deliverer that is killed again and again, and one dead webhook among many."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from postroom.core.mail.models import Message
from postroom.core.mail.services.telling import tell_messages
from postroom.core.webhooks.models import Call
from postroom.core.workspaces.models import Workspace
from postroom.kit import clock
from postroom.workers.webhooks import LANES
from tests.core.webhooks import making
from tests.factories import make_workspace
from tests.ledger import make_batch
from tests.processes import child_environment
from tests.senders import wait_until
from tests.stand_ins.receivers import Receiver

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

CHILD = Path(__file__).with_name("webhooks_child.py")


def start(lease_s: float) -> "subprocess.Popen[bytes]":
    """Start a deliverer on the test's database."""
    environment = child_environment() | {"POSTROOM_INTERNAL_HTTP_HOSTS": "127.0.0.1"}
    return subprocess.Popen([sys.executable, str(CHILD), str(lease_s)], env=environment, stderr=subprocess.DEVNULL)


@contextmanager
def delivering(lease_s: float = 30) -> Iterator[None]:
    """Run a deliverer while the body runs."""
    child = start(lease_s)
    try:
        yield
    finally:
        child.terminate()
        child.wait(20)


def make_room(receiver: Receiver, paths: list[str]) -> Workspace:
    """A workspace with a webhook for each path."""
    room = make_workspace()
    for path in paths:
        making.make_endpoint(workspace=room, url=receiver.url(path), now=clock.now())
    return room


def make_room_of(types: list[str]) -> Workspace:
    """A workspace with a webhook that hears some events."""
    room = make_workspace()
    making.make_endpoint(workspace=room, event_types=tuple(types), now=clock.now())
    return room


def waiting() -> int:
    return Call.objects.filter(finished_at=None).count()


def test_w5_a_deliverer_killed_twenty_times_loses_no_call(capsys: pytest.CaptureFixture[str]) -> None:
    lanes, kills = 10, 20
    with Receiver() as receiver:
        room = make_room(receiver, [f"/late/2/{number}" for number in range(lanes)])
        making.tell(room, 500, now=clock.now())
        ids = {uid.hex for uid in Call.objects.values_list("uid", flat=True)}
        assert len(ids) == 5000
        done = 0
        for _ in range(kills):
            child = start(lease_s=0.5)
            mark = len(receiver.received)
            wait_until(lambda mark=mark: len(receiver.received) >= mark + 60 or not waiting(), 60)  # type: ignore[misc]
            child.kill()
            child.wait()
            done += 1
        with delivering(lease_s=0.5):
            wait_until(lambda: not waiting(), 180)
        times = Counter(one.headers["webhook-id"] for one in receiver.received)
    assert done == kills
    assert set(times) == ids
    doubles = sum(times.values()) - len(ids)
    assert doubles <= kills * lanes
    assert set(Call.objects.values_list("status", flat=True)) == {"delivered"}
    with capsys.disabled():
        print(  # noqa: T201 - the figures are the point
            f"\nW5: 5,000 calls, {kills} kills, {doubles} arrived twice (allowed: {kills * lanes}), none lost"
        )


def _delays(paths: list[str], each: int) -> tuple[list[float], float]:
    """Return how long calls took to arrive at the good webhooks, sorted, and the whole time."""
    with Receiver() as receiver:
        room = make_room(receiver, paths)
        good = sum(not path.startswith("/hang") for path in paths) * each
        with delivering():
            wait_until(lambda: _is_listening(), 30)
            began = time.time()
            making.tell(room, each, now=clock.now())
            wait_until(lambda: Call.objects.filter(status="delivered").count() >= good, 300)
            took = time.time() - began
        found = sorted(one.at - began for one in receiver.received if not one.path.startswith("/hang"))
    return found, took


def _is_listening() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize(("webhooks", "each"), [(100, 100), (20, 500)])
def test_w6_a_dead_webhook_delays_no_other(webhooks: int, each: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert webhooks <= LANES
    paths = [f"/ok/{number}" for number in range(webhooks)]
    baseline, _ = _delays(paths, each)
    Call.objects.all().delete()
    delays, took = _delays(["/hang", *paths[1:]], each)
    p95 = [found[int(len(found) * 0.95)] for found in (baseline, delays)]
    with capsys.disabled():
        print(  # noqa: T201 - the figures are the point
            f"\nW6: {webhooks} webhooks with {each} calls each, one dead: p95 {p95[1]:.1f} s against {p95[0]:.1f} s"
            f" with none dead; {len(delays) / took:,.0f} calls/s"
        )
    assert len(delays) == (webhooks - 1) * each
    assert p95[1] < 2 * p95[0]


def test_telling_of_a_campaigns_message_costs_less_than_20_microseconds(capsys: pytest.CaptureFixture[str]) -> None:
    room = make_room_of(["email.sent"])
    batch, now = make_batch(workspace=room), clock.now()
    numbers = list(range(5_000_000, 5_010_000))
    fields: dict[str, Any] = {
        **{"workspace": room, "sender": batch.sender, "content": batch.content, "batch": batch, "status": "sent"},
        **{"message_class": "marketing", "message_id_header": "<x@x.example>", "created_at": now, "sent_at": now},
    }
    Message.objects.bulk_create([Message(id=key, to=[f"p{key}@x.example"], **fields) for key in numbers], 1000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE mail_message")
    times = []
    for first in range(0, 10_000, 1000):
        began = time.perf_counter()
        tell_messages(workspace_ids={room.pk}, message_ids=numbers[first : first + 1000], now=now)
        times.append((time.perf_counter() - began) * 1000)
    assert Call.objects.count() == 10_000
    with capsys.disabled():
        print(f"\nTold: {min(times):.1f} µs a message at best, {sorted(times)[5]:.1f} in the middle")  # noqa: T201
    assert min(times) < 20
