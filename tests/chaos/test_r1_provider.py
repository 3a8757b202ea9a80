"""R1 over a provider with idempotency keys: senders die with calls in the air, and nobody gets anything twice."""

import os
import random
import time
from pathlib import Path
from typing import Final

import pytest

from postroom.core.mail.models import Batch, Message
from postroom.core.mail.types import BatchStatus, MessageStatus
from tests.chaos.report import Kill, match
from tests.factories import make_workspace
from tests.senders import SenderChild, make_campaign, wait_until
from tests.sinks import Copy
from tests.stand_ins.accounts import make_provider_sender
from tests.stand_ins.esp import StandIn

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

PEOPLE: Final = 3_000
KILLS: Final = 20
CONNECTIONS: Final = 8
BACK_WITHIN_S: Final = 60


@pytest.mark.parametrize("provider", ["resend", "brevo"])
def test_keys_settle_every_doubt_that_twenty_kills_leave(
    provider: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("POSTROOM_SEED") or random.randrange(10**6))
    stand_in = StandIn(provider, delay_s=0.005)
    workspace = make_workspace()
    sender = make_provider_sender(workspace, provider, api_url=stand_in.url, max_connections=CONNECTIONS)
    batch = make_campaign(workspace, sender, PEOPLE)
    started = time.monotonic()
    kills = _send_through_kills(tmp_path, stand_in, random.Random(seed), batch.pk)
    headers = dict(Message.objects.values_list("pk", "message_id_header"))
    copies = [
        Copy(message_id=headers[int(number)], sender="", recipients=(), is_acked=True)
        for number, count in stand_in.taken.items()
        for _ in range(count)
    ]
    repeated = len(stand_in.calls) - sum(stand_in.taken.values())
    report = match(
        id=f"R1-{provider}",
        planned=PEOPLE,
        copies=copies,
        kills=kills,
        seed=seed,
        total_s=time.monotonic() - started,
    )
    report.show(capsys)
    stand_in.stop()
    assert (report.lost, report.duplicates, report.unaccounted) == ((), (), 0)
    assert (report.sent, report.in_doubt) == (PEOPLE, 0)
    assert repeated > 0  # calls were made again, and the keys kept them from sending anything
    assert not Message.objects.filter(delivered_at__isnull=False).exists()  # the provider has yet to say so


def _send_through_kills(place: Path, stand_in: StandIn, chance: random.Random, batch_id: int) -> list[Kill]:
    kills: list[Kill] = []
    sender = SenderChild(place / "data")
    try:
        for goal in sorted(chance.sample(range(100, PEOPLE - 300), KILLS)):
            wait_until(lambda goal=goal: len(stand_in.taken) >= goal, timeout_s=120)  # type: ignore[misc]
            sender.kill()
            at_kill = len(stand_in.taken)
            sender = SenderChild(place / "data")
            back = wait_until(lambda at_kill=at_kill: len(stand_in.taken) > at_kill, timeout_s=BACK_WITHIN_S)  # type: ignore[misc]
            kills.append(Kill("sender", f"{at_kill:,} taken", back))
        wait_until(lambda: _has_ended(batch_id), timeout_s=180)
        assert sender.stop() == 0
    finally:
        if sender.is_alive:
            sender.kill()
    return kills


def _has_ended(batch_id: int) -> bool:
    is_done = Batch.objects.filter(pk=batch_id, status=BatchStatus.DONE).exists()
    pending = (MessageStatus.QUEUED, MessageStatus.DEFERRED, MessageStatus.CLAIMED)
    return is_done and not Message.objects.filter(status__in=pending).exists()
