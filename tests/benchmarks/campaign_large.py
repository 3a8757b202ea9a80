"""One campaign to very many: does it go as fast at its end as at its beginning, and does urgent mail still get through?

The rate of each tenth is read from the ledger. Meanwhile a transactional mail is accepted every second, and every
second a claim is made, timed and taken back.
"""

import statistics
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import Final

from django.db import connection

from postroom.core.mail import selectors, services
from postroom.core.mail.models import Batch, Message, SenderAccount, SenderProcess
from postroom.core.mail.types import BatchStatus, MessageClass, NewMessage
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from tests.benchmarks.campaign import letter, make_sender, sender_processes, start_campaign
from tests.benchmarks.ground import cpu_seconds, peak_memory_kb
from tests.benchmarks.people import import_people, make_workspace, write_people
from tests.benchmarks.postfix import smtp_sink
from tests.benchmarks.rounds import say
from tests.claim_times import percentile, time_claim

Processes = Sequence["subprocess.Popen[bytes]"]
SENDERS: Final = 2
PATIENCE_S: Final = 60.0
"""How long nothing may happen before the run is given up."""

_TENTHS: Final = """
SELECT tenth, count(*) / greatest(extract(epoch FROM max(sent_at) - min(sent_at)), 0.001)
FROM (SELECT sent_at, ntile(10) OVER (ORDER BY sent_at) AS tenth FROM mail_message
      WHERE batch_id = %s AND sent_at IS NOT NULL) sent
GROUP BY tenth ORDER BY tenth
"""


def run(directory: Path, _rounds: int, people: int) -> None:
    """Send one campaign to so many people, once."""
    workspace = make_workspace("Large")
    import_people(workspace, write_people(directory / "people.csv", people))
    with ExitStack() as stack:
        config = {"host": "127.0.0.1", "port": stack.enter_context(smtp_sink(directory)), "max_connections": 16}
        sender = make_sender(workspace, "large", config)
        processes = stack.enter_context(sender_processes(directory, SENDERS))
        _wait_for_senders(processes)
        before = sum(cpu_seconds(process.pid) for process in processes)
        batch, started = start_campaign(workspace, sender)
        took = _watch(batch, sender, processes)
        elapsed = perf_counter() - started
        cpu_us = (sum(cpu_seconds(process.pid) for process in processes) - before) / people * 1e6
        peaks = [peak_memory_kb(process.pid) / 1024 for process in processes]
    _show_rates(batch, people, elapsed)
    _show_urgent(sender)
    claims = ", ".join(f"{name} {percentile(times, 95) * 1000:.1f} ms" for name, times in sorted(took.items()))
    say(f"  p95 of a claim's statements, meanwhile: {claims}")
    say(f"  {cpu_us:.0f} us of the senders' processor time a message; peak memory {_megabytes(peaks)}")


def _wait_for_senders(processes: Processes) -> None:
    while SenderProcess.objects.count() < len(processes):
        if any(process.poll() is not None for process in processes):
            raise SystemExit("A sender process did not start.")
        time.sleep(0.1)


def _watch(batch: Batch, sender: SenderAccount, processes: Processes) -> dict[str, list[float]]:
    """Return when the batch has ended, with how long the claims took that were made meanwhile."""
    took: dict[str, list[float]] = {}
    seen, seen_at = -1, perf_counter()
    while Batch.objects.values_list("status", flat=True).get(pk=batch.pk) != BatchStatus.DONE:
        _accept_urgent(sender)
        time_claim(took, "probe")
        sent = selectors.count_batch(batch_id=batch.pk).delivered
        if sent != seen:
            seen, seen_at = sent, perf_counter()
        if perf_counter() - seen_at > PATIENCE_S or any(process.poll() is not None for process in processes):
            raise SystemExit(f"Nothing went on after {sent:,} messages.")
        time.sleep(1.0)
    return took


def _accept_urgent(sender: SenderAccount) -> None:
    new = NewMessage(
        sender_id=sender.pk,
        message_class=MessageClass.TRANSACTIONAL,
        to=("urgent@people.example",),
        composition=letter(),
    )
    services.accept_messages(workspace=sender.workspace, messages=[new], actor=SYSTEM, now=clock.now())


def _show_rates(batch: Batch, people: int, elapsed: float) -> None:
    counts = selectors.count_batch(batch_id=batch.pk)
    with connection.cursor() as cursor:
        cursor.execute(_TENTHS, [batch.pk])
        rates = [float(rate) for _, rate in cursor.fetchall()]
    say(f"Campaign of {people:,}, {SENDERS} sender processes, into smtp-sink: {people / elapsed:,.0f} messages/s")
    say(f"  delivered {counts.delivered:,}, in doubt {counts.in_doubt:,}, failed {counts.failed:,}")
    say(f"  rate of each tenth: {', '.join(f'{rate:,.0f}' for rate in rates)}")
    say(f"  last tenth to second tenth: {rates[-1] / rates[1]:.2f} (target 0.90)")


def _show_urgent(sender: SenderAccount) -> None:
    rows = Message.objects.filter(sender=sender, batch=None).values_list("created_at", "sent_at")
    delays = [(sent_at - created_at).total_seconds() for created_at, sent_at in rows if sent_at is not None]
    say(
        f"  urgent mail meanwhile, accepted to taken: p50 {statistics.median(delays):.2f} s, "
        f"p95 {percentile(delays, 95):.2f} s, max {max(delays):.2f} s ({len(delays)} of {len(rows)}; target 5 s)"
    )


def _megabytes(peaks: Sequence[float]) -> str:
    return " and ".join(f"{peak:.0f} MB" for peak in peaks) + " (target 60 MB each)"
