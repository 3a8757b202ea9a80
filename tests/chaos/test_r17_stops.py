"""R17: paused fifty times at random moments, then cancelled, and the same with the panic stop: nothing leaves after."""

import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from postroom.core.mail import services as mail
from postroom.core.mail.models import Batch, Message
from postroom.core.mail.selectors import find_stop
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from tests.chaos.report import match
from tests.factories import make_workspace
from tests.senders import SenderChild, make_campaign, make_smtp_sender, wait_until
from tests.sinks import Fault, Plan, SinkProcess

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]

PAUSES: Final = 50
PEOPLE: Final = 15_000
CONNECTIONS: Final = 4
SENDERS: Final = 2
SETTLE_S: Final = 0.3

SLOWLY: Final = Plan(faults=(Fault("dot", reply="250 2.0.0 taken", delay_s=0.01),))


@pytest.mark.parametrize("kind", ["pause", "panic stop"])
def test_nothing_leaves_after_it_says_that_it_stands_still(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    seed = random.randrange(1 << 30)
    chance, workspace, started = random.Random(seed), make_workspace(), time.monotonic()
    late: list[int] = []
    took: list[float] = []
    with SinkProcess(tmp_path / "sink.log", SLOWLY) as sink:
        sender = make_smtp_sender(workspace, sink.port, connections=CONNECTIONS)
        batch = make_campaign(workspace, sender, PEOPLE)
        halt, go_on = _acts(kind, workspace, batch)
        children = [SenderChild(tmp_path / f"sender-{number}") for number in range(SENDERS)]
        try:
            wait_until(lambda: len(sink.copies) > 0, timeout_s=60)
            for _ in range(PAUSES):
                time.sleep(chance.uniform(0.05, 0.25))
                asked = time.monotonic()
                halt()
                wait_until(lambda: _stands_still(kind, workspace, batch), timeout_s=30)
                took.append(time.monotonic() - asked)
                late.append(_count_after(sink, time.time()))
                go_on()
            before_end = len(sink.copies)
            mail.cancel_batch(workspace=workspace, batch_id=batch.pk, now=clock.now())
            wait_until(lambda: _status(batch) == "cancelled", timeout_s=30)
            after_cancel = _count_after(sink, time.time())
            for child in children:
                assert child.stop() == 0
        finally:
            for child in children:
                child.kill()
        report = match(
            id="R17" if kind == "pause" else "R17-panic",
            planned=Message.objects.count(),
            copies=sink.copies,
            kills=[],
            seed=seed,
            total_s=time.monotonic() - started,
        )
    notes = {
        "recipients": PEOPLE,
        "stops": PAUSES,
        "left before the end": before_end,
        "late after a stop, most": max(late),
        "late after the cancel": after_cancel,
        "seconds until it stood still, most": round(max(took), 2),
    }
    replace(report, notes=notes).show(capsys)
    assert before_end < PEOPLE, "the campaign ended before the stops did"
    assert max(late) <= CONNECTIONS * SENDERS
    assert after_cancel == 0
    assert max(took) < 5
    assert not report.lost
    assert not report.duplicates
    cancelled = Message.objects.filter(batch=batch, status="cancelled").count()
    assert Message.objects.filter(batch=batch).exclude(status__in=("sent", "cancelled")).count() == 0
    assert report.sent + cancelled <= PEOPLE


def _acts(kind: str, workspace: Workspace, batch: Batch) -> tuple[Callable[[], object], Callable[[], object]]:
    if kind == "pause":
        return (
            lambda: mail.pause_batch(workspace=workspace, batch_id=batch.pk, now=clock.now()),
            lambda: mail.resume_batch(workspace=workspace, batch_id=batch.pk, now=clock.now()),
        )
    return (
        lambda: mail.stop_workspace(workspace=workspace, actor=SYSTEM, now=clock.now()),
        lambda: mail.resume_workspace(workspace=workspace, actor=SYSTEM, now=clock.now()),
    )


def _stands_still(kind: str, workspace: Workspace, batch: Batch) -> bool:
    if kind == "pause":
        return _status(batch) == "paused"
    stop = find_stop(workspace=workspace)
    return stop is not None and stop.is_quiet


def _status(batch: Batch) -> str:
    batch.refresh_from_db()
    return str(batch.status)


def _count_after(sink: SinkProcess, at: float) -> int:
    time.sleep(SETTLE_S)
    return sum(copy.at > at for copy in sink.copies)
