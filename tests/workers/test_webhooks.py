"""The deliverer against real servers: good ones, bad ones, dead ones, and addresses that must never be asked."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from postroom.core.webhooks.models import Call, Endpoint
from postroom.core.webhooks.rules import schedules
from postroom.core.webhooks.rules.schedules import Terms
from postroom.core.webhooks.selectors import reveal_secret
from postroom.core.webhooks.types import CallStatus
from postroom.core.workspaces.models import Workspace
from postroom.kit import clock
from postroom.workers.webhooks import Deliverer
from tests.core.webhooks import making
from tests.factories import make_workspace
from tests.senders import wait_until
from tests.stand_ins.receivers import Receiver

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = Terms(
    gaps=(timedelta(seconds=0.02),) * 3, jitter=0.1, deadline_s=0.5, is_even=True, off_after=timedelta(days=5)
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@pytest.fixture
def deliverer() -> Iterator[Deliverer]:
    made = Deliverer()
    yield made
    made.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a call given up after four attempts, shortly after one another."""
    monkeypatch.setattr(schedules, "_STANDARD", QUICK)


def add(room: Workspace, url: str) -> Endpoint:
    """Return a webhook of a workspace."""
    return making.make_endpoint(workspace=room, url=url, now=clock.now())


def tell(room: Workspace, count: int = 1) -> None:
    """Tell the workspace's webhooks something."""
    making.tell(room, count, now=clock.now())


def deliver(deliverer: Deliverer, until: Callable[[], bool] | None = None, timeout_s: float = 20.0) -> None:
    """Take turns until every call is finished, or ``until`` holds."""
    deadline = time.monotonic() + timeout_s
    while not (until() if until else not Call.objects.filter(finished_at=None).exists()):
        assert time.monotonic() < deadline, list(Call.objects.values_list("status", "error", "response_code"))
        if not deliverer.step(clock.now()):
            time.sleep(0.005)


def test_a_call_arrives_signed_and_its_answer_is_kept(receiver: Receiver, deliverer: Deliverer) -> None:
    room = make_workspace()
    endpoint = add(room, receiver.url("/hook?from=postroom"))
    tell(room)
    deliver(deliverer)
    [one] = receiver.received
    assert Webhook(reveal_secret(endpoint)).verify(one.body, one.headers) == one.said
    assert (one.path, one.said["type"], one.headers["content-type"]) == (
        "/hook?from=postroom",
        "email.sent",
        "application/json",
    )
    call = Call.objects.get()
    assert (call.status, call.response_code, call.answer, call.attempts) == ("delivered", 200, "thank you", 1)
    assert call.duration_ms is not None


def test_500_then_200_arrives_twice_under_one_id(receiver: Receiver, deliverer: Deliverer, quick: None) -> None:
    room = make_workspace()
    add(room, receiver.url("/flaky"))
    tell(room)
    deliver(deliverer)
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert (Call.objects.get().status, Call.objects.get().attempts) == ("delivered", 2)


@pytest.mark.parametrize(
    ("path", "code", "said"),
    [
        ("/status/404", 404, ""),
        ("/status/503", 503, ""),
        ("/redirect", 302, ""),
        ("/reset", None, "did not answer"),
        ("/hang", None, "No answer within"),
    ],
)
def test_w2_what_is_not_good_is_tried_to_the_end_and_nothing_is_followed(
    receiver: Receiver, deliverer: Deliverer, quick: None, path: str, code: int | None, said: str
) -> None:
    room = make_workspace()
    add(room, receiver.url(path))
    tell(room)
    deliver(deliverer)
    call = Call.objects.get()
    assert (call.status, call.response_code, call.attempts) == (CallStatus.FAILED, code, 4)
    assert said in call.error
    assert len(receiver.on(path)) == 4
    assert receiver.on("/secret") == []


def test_w2_a_server_without_tls_is_tried_again(receiver: Receiver, deliverer: Deliverer, quick: None) -> None:
    room = make_workspace()
    add(room, receiver.url("/tls").replace("http:", "https:"))
    tell(room)
    deliver(deliverer)
    assert (Call.objects.get().status, Call.objects.get().attempts) == ("failed", 4)
    assert "cannot be reached" in Call.objects.get().error


def test_of_a_long_answer_the_beginning_is_kept(receiver: Receiver, deliverer: Deliverer) -> None:
    room = make_workspace()
    add(room, receiver.url("/long"))
    tell(room)
    deliver(deliverer)
    assert (Call.objects.get().status, len(Call.objects.get().answer)) == ("delivered", 4096)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.64.0.1/",
        "http://[64:ff9b::7f00:1]/",
        "http://0.0.0.0/",
    ],
)
def test_s6_an_address_inside_is_never_asked(
    settings: Any, monkeypatch: pytest.MonkeyPatch, quick: None, url: str
) -> None:
    settings.INTERNAL_HTTP_HOSTS = ()
    connected: list[object] = []
    monkeypatch.setattr("anyio.connect_tcp", lambda *given, **more: connected.append(given))
    room = make_workspace()
    endpoint = add(room, "https://example.com/")
    Endpoint.objects.filter(pk=endpoint.pk).update(url=url)
    tell(room)
    deliverer = Deliverer()
    deliver(deliverer)
    deliverer.close()
    assert (Call.objects.get().status, Call.objects.get().attempts) == ("failed", 4)
    assert connected == []


def test_a_webhook_is_never_called_twice_at_a_time(receiver: Receiver) -> None:
    room = make_workspace()
    add(room, receiver.url("/late/20"))
    tell(room, 15)
    stop = threading.Event()

    def work() -> None:
        from django.db import connections

        one = Deliverer()
        while not stop.is_set():
            one.step(clock.now())
        one.close()
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: not Call.objects.filter(finished_at=None).exists())
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert receiver.most_at_once["/late/20"] == 1
    assert sorted(one.said["data"]["number"] for one in receiver.received) == list(range(15))


def test_one_that_hangs_delays_nobody(receiver: Receiver, deliverer: Deliverer) -> None:
    rooms = [make_workspace() for _ in range(10)]
    for number, room in enumerate(rooms):
        add(room, receiver.url("/hang" if number == 0 else f"/ok/{number}"))
        tell(room, 20)
    began = time.monotonic()
    deliver(deliverer, until=lambda: Call.objects.filter(status="delivered").count() == 180)
    assert time.monotonic() - began < 8  # the one that hangs is waited for longer than that


def test_closing_waits_for_the_calls_under_way(receiver: Receiver) -> None:
    room = make_workspace()
    add(room, receiver.url("/late/300"))
    tell(room)
    deliverer = Deliverer()
    assert deliverer.step(clock.now())
    deliverer.close()
    assert Call.objects.get().status == "delivered"
