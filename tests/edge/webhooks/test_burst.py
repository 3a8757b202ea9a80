"""W10: twenty thousand events in a minute are kept before they are answered, and soon; a reader that crashes on some of
them loses none.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import psutil
import pytest

from postroom.core.mail import services as mail
from postroom.core.mail.models import DeliveryEvent, ProviderEvent, SenderAccount
from postroom.core.mail.selectors import find_webhook_account
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from postroom.providers.esp import EspReports
from tests.edge.front_door import FrontDoor
from tests.factories import make_workspace
from tests.ledger import make_content, make_message
from tests.stand_ins.accounts import make_provider_sender
from tests.stand_ins.webhooks import event_of, webhook_of

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]

EVENTS: Final = 20_000
SECONDS: Final = 60.0
CONNECTIONS: Final = 48
MESSAGES: Final = 500
PROVIDERS: Final = ("resend", "mailgun", "postmark", "sendgrid")


class Crashing(EspReports):
    """Crashes on every hundredth event, until it is mended."""

    def read(self, provider: Any, body: bytes, content_type: str, *, is_inbound: bool) -> Any:
        if b'"crash' in body or b":crash" in body:
            raise RuntimeError("crash")
        return super().read(provider, body, content_type, is_inbound=is_inbound)


def test_w10_twenty_thousand_events_in_a_minute(door: FrontDoor, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = make_workspace()
    senders = [make_provider_sender(workspace, provider) for provider in PROVIDERS]
    content = make_content(workspace=workspace)
    messages = [
        make_message(workspace=workspace, sender=senders[0], content=content, delivered_at=None).pk
        for _ in range(MESSAGES)
    ]
    accounts = [(sender, _password(sender)) for sender in senders]
    requests = [_request(door, *accounts[number % 4], messages[number % MESSAGES], number) for number in range(EVENTS)]
    spent = processor_seconds(door)
    began = time.monotonic()
    delays, statuses = asyncio.run(_send(door, requests))
    took = time.monotonic() - began
    spent = processor_seconds(door) - spent
    _digest(Crashing())
    delays.sort()
    p50, p99 = delays[len(delays) // 2], delays[int(len(delays) * 0.99)]
    with capsys.disabled():
        sys.stdout.write(
            f"\nW10  {EVENTS:,} events in {took:.1f} s · answered 2xx {sum(200 <= one < 300 for one in statuses):,}"
            f" · p50 {p50 * 1000:.1f} ms · p99 {p99 * 1000:.1f} ms · max {delays[-1] * 1000:.0f} ms"
            f" · {spent / EVENTS * 1e6:.0f} us of processor time an event"
            f" · stored {ProviderEvent.objects.count():,}"
            f" · parked {ProviderEvent.objects.filter(parked_at__isnull=False).count():,}\n"
        )
    assert set(statuses) == {200}
    assert ProviderEvent.objects.count() == EVENTS
    parked = ProviderEvent.objects.filter(parked_at__isnull=False)
    assert parked.count() == EVENTS // 100
    assert DeliveryEvent.objects.count() == EVENTS - EVENTS // 100
    for event in parked:
        mail.replay_event(workspace=workspace, uid=event.uid, actor=SYSTEM, now=clock.now())
    _digest(EspReports())
    assert DeliveryEvent.objects.count() == EVENTS
    assert p99 < 0.3


def _password(sender: SenderAccount) -> str:
    account = find_webhook_account(uid=sender.uid)
    assert account is not None
    return account.password


def _request(door: FrontDoor, sender: SenderAccount, password: str, message_id: int, number: int) -> bytes:
    serial = f"crash-{number}" if number % 100 == 7 else f"e-{number}"
    said = event_of(sender.provider, message_id, "delivered", serial=serial, at=time.time() - 3600 + number / 100)
    if sender.provider == "resend":
        said["data"]["email_id"] = serial
    webhook = webhook_of(sender.provider, said, password=password)
    fields = {"host": urlsplit(door.url).netloc, "content-length": str(len(webhook.body)), **webhook.headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST /hooks/{sender.uid}/{sender.provider}/ HTTP/1.1\r\n{head}\r\n".encode() + webhook.body


async def _send(door: FrontDoor, requests: Sequence[bytes]) -> tuple[list[float], list[int]]:
    """Send each request at its time, over as many connections as are free; a late one is measured from its time."""
    began = time.monotonic()
    waiting = iter(enumerate(requests))
    delays: list[float] = []
    statuses: list[int] = []

    async def work() -> None:
        place = urlsplit(door.url)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        for number, request in waiting:
            due = began + number * SECONDS / len(requests)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
            statuses.append(int(head.split(b" ", 2)[1]))
            delays.append(time.monotonic() - due)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    return delays, statuses


def processor_seconds(door: FrontDoor) -> float:
    """Return how much processor time the front door and its workers have used."""
    root = psutil.Process(door.process.pid)
    times = [one.cpu_times() for one in (root, *root.children(recursive=True))]
    return sum(one.user + one.system for one in times)


def _digest(reader: EspReports) -> None:
    while mail.read_deliveries(reader=reader, now=clock.now()):
        pass
    while mail.apply_hits(now=clock.now()):
        pass
