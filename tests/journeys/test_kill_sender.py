"""A campaign of 10,000 messages whose sender is killed five times: nothing lost, nothing twice, all accounted for."""

import os
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from postroom.core.mail import selectors
from postroom.core.mail.models import Batch, Message, Recipient
from postroom.core.mail.types import BatchCounts, MessageStatus
from tests.factories import make_workspace
from tests.senders import SenderChild, make_campaign, make_smtp_sender, wait_until
from tests.sinks import Audit, Fault, Plan, SinkProcess, audit

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 10_000
KILLS = 5
CONNECTIONS = 8


@dataclass(frozen=True)
class Outcome:
    """What the plan, the ledger and the mail server's own log say of one campaign."""

    seed: int
    counts: BatchCounts
    ledger: Counter[str]
    seen: Audit
    doubtful: frozenset[str]
    recoveries_s: list[float]
    total_s: float

    @property
    def unaccounted(self) -> int:
        """Planned recipients of whom the ledger says nothing final."""
        return PEOPLE - self.ledger[MessageStatus.SENT] - self.ledger[MessageStatus.IN_DOUBT]

    def __str__(self) -> str:
        arrived = sum(1 for header in self.doubtful if self.seen.copies[header])
        copies = Counter(self.seen.copies.values())
        return (
            f"\nseed {self.seed} · {KILLS} kills · {CONNECTIONS} connections\n"
            f"planned {PEOPLE} · sent {self.counts.delivered} · in doubt {self.counts.in_doubt} "
            f"({arrived} of them had arrived)\n"
            f"copies per Message-ID {dict(copies)} · lost {len(self.seen.lost)} · "
            f"duplicates {len(self.seen.duplicates)} · unaccounted {self.unaccounted}\n"
            f"from kill to next copy {', '.join(f'{one:.1f}' for one in self.recoveries_s)} s · "
            f"all {self.total_s:.1f} s\n"
        )


def test_five_kills_lose_nothing_double_nothing_and_leave_at_most_one_doubt_per_connection(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("POSTROOM_SEED") or random.randrange(10**6))
    log = tmp_path / "copies"
    with SinkProcess(log, Plan(faults=(Fault("dot", delay_s=0.002),))) as sink:
        workspace = make_workspace()
        batch = make_campaign(workspace, make_smtp_sender(workspace, sink.port, connections=CONNECTIONS), PEOPLE)
        started = time.monotonic()
        recoveries = _send_through_kills(tmp_path / "data", log, batch, random.Random(seed))
        outcome = _audit(batch, sink, seed, recoveries, time.monotonic() - started)
    with capsys.disabled():
        sys.stdout.write(str(outcome))
    assert outcome.seen.lost == frozenset()
    assert outcome.seen.duplicates == {}
    assert outcome.unaccounted == 0
    assert outcome.counts.in_doubt <= CONNECTIONS * KILLS
    assert outcome.counts.sent == outcome.counts.delivered + outcome.counts.in_doubt == PEOPLE
    assert max(outcome.recoveries_s) < 60
    assert list((tmp_path / "data" / "journal").iterdir()) == []


def _send_through_kills(data: Path, log: Path, batch: Batch, chance: random.Random) -> list[float]:
    """Send the batch, killing the sender whenever a goal is reached; return how long each successor took."""
    recoveries: list[float] = []
    sender = SenderChild(data)
    try:
        for goal in sorted(chance.sample(range(300, PEOPLE - 1500), KILLS)):
            wait_until(lambda goal=goal: _count(log) >= goal, timeout_s=60)  # type: ignore[misc]
            sender.kill()
            at_kill = _count(log)
            sender = SenderChild(data)
            recoveries.append(wait_until(lambda at_kill=at_kill: _count(log) > at_kill, timeout_s=60))  # type: ignore[misc]
        wait_until(lambda: Batch.objects.get(pk=batch.pk).status == "done", timeout_s=60)
        assert sender.stop() == 0
    finally:
        sender.kill()
    return recoveries


def _audit(batch: Batch, sink: SinkProcess, seed: int, recoveries: list[float], total_s: float) -> Outcome:
    rows = list(Message.objects.filter(batch=batch).values_list("id", "message_id_header", "status"))
    assert {number for number, _, _ in rows} == set(Recipient.objects.values_list("id", flat=True))
    sent = [header for _, header, status in rows if status == MessageStatus.SENT]
    return Outcome(
        seed=seed,
        counts=selectors.count_batch(batch_id=batch.pk),
        ledger=Counter(status for _, _, status in rows),
        seen=audit(sent, sink.copies),
        doubtful=frozenset(header for _, header, status in rows if status == MessageStatus.IN_DOUBT),
        recoveries_s=recoveries,
        total_s=total_s,
    )


def _count(log: Path) -> int:
    return log.read_bytes().count(b"\n") if log.exists() else 0
