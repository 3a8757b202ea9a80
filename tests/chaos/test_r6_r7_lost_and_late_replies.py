"""R6 and R7: a server that takes messages and hangs up instead of answering, and one that answers very late."""

import asyncio
import random
import time
from pathlib import Path
from typing import Final

import pytest

from postroom.core.mail import services as mail
from postroom.core.mail.models import Batch, Message
from postroom.core.mail.ports import Outcome
from postroom.core.mail.types import BatchStatus, MessageClass, MessageStatus, NewMessage
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from tests.chaos.report import Report, match
from tests.factories import make_workspace
from tests.providers.smtp.outbox import StrictOutbox, deliver, envelopes, impatient, settings
from tests.senders import COMPOSITION, SenderChild, make_campaign, make_smtp_sender, wait_until
from tests.sinks import Fault, Plan, Sink, SinkProcess

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]

PEOPLE: Final = 2_000
LOST: Final = 200
LATE_S: Final = 25.0
"""Two and a half leases: whoever waits for a reply must go on holding what it claimed."""


def hangs_up(times: int) -> Plan:
    """Return a server that takes every tenth message and closes the connection without a word, ``times`` times."""
    chance = random.Random(6)
    skips = sorted(chance.sample(range(9 * times), times))
    return Plan(faults=tuple(Fault("dot", action="drop", skip=skip, times=1) for skip in skips))


def send_all(place: Path, has_ended: "object", timeout_s: float) -> None:
    sender = SenderChild(place / "data")
    try:
        wait_until(has_ended, timeout_s=timeout_s)  # type: ignore[arg-type]
    finally:
        assert sender.stop() == 0


def test_a_campaign_whose_replies_are_lost_parks_them_and_mails_nobody_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with SinkProcess(tmp_path / "copies", hangs_up(LOST)) as sink:
        workspace = make_workspace()
        batch = make_campaign(workspace, make_smtp_sender(workspace, sink.port, connections=8), PEOPLE)
        started = time.monotonic()
        send_all(tmp_path, lambda: Batch.objects.get(pk=batch.pk).status == BatchStatus.DONE, 200)
        report = match(id="R6-park", planned=PEOPLE, copies=sink.copies, seed=6, total_s=time.monotonic() - started)
    report.show(capsys)
    assert (report.lost, report.duplicates, report.unaccounted) == ((), (), 0)
    assert report.in_doubt == report.doubtful_arrived == LOST
    assert report.sent == PEOPLE - LOST


def test_letters_whose_replies_are_lost_come_exactly_once_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with SinkProcess(tmp_path / "copies", hangs_up(LOST)) as sink:
        workspace = make_workspace()
        sender = make_smtp_sender(workspace, sink.port, connections=8)
        letters = [
            NewMessage(
                sender_id=sender.pk,
                message_class=MessageClass.TRANSACTIONAL,
                to=(f"p{number}@people.example",),
                composition=COMPOSITION,
            )
            for number in range(PEOPLE)
        ]
        mail.accept_messages(workspace=workspace, messages=letters, actor=SYSTEM, now=clock.now())
        started = time.monotonic()
        waiting = Message.objects.exclude(status__in=(MessageStatus.SENT, MessageStatus.IN_DOUBT))
        send_all(tmp_path, lambda: not waiting.exists(), 300)
        report = match(id="R6-resend", planned=PEOPLE, copies=sink.copies, seed=6, total_s=time.monotonic() - started)
    report.show(capsys)
    doubted = Message.objects.filter(is_resent=True).count()
    assert (report.lost, report.unaccounted) == ((), 0)
    assert report.sent + report.in_doubt == PEOPLE
    assert report.extra_copies == doubted
    assert all(one.is_resent and one.copies == 2 for one in report.duplicates)
    assert doubted >= LOST - report.in_doubt
    assert report.in_doubt <= LOST // 10  # those that met the fault a second time are parked


def test_a_reply_that_comes_after_two_leases_is_still_the_reply(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with SinkProcess(tmp_path / "copies", Plan(faults=(Fault("dot", delay_s=LATE_S),))) as sink:
        workspace = make_workspace()
        batch = make_campaign(workspace, make_smtp_sender(workspace, sink.port, connections=8), 16)
        started = time.monotonic()
        first, second = SenderChild(tmp_path / "one"), SenderChild(tmp_path / "two")
        try:
            wait_until(lambda: Batch.objects.get(pk=batch.pk).status == BatchStatus.DONE, timeout_s=150)
        finally:
            assert (first.stop(), second.stop()) == (0, 0)
        report = match(id="R7", planned=16, copies=sink.copies, total_s=time.monotonic() - started)
    report.show(capsys)
    assert (report.lost, report.duplicates, report.unaccounted) == ((), (), 0)
    assert report.sent == 16


def test_a_reply_ten_seconds_before_the_last_moment_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    """590 s of the 600 s that RFC 5321 section 4.5.3.2.6 asks for, a hundred times faster."""
    outbox = StrictOutbox(envelopes(8))
    started = time.monotonic()
    with Sink(Plan(faults=(Fault("dot", delay_s=5.9),))) as sink:
        asyncio.run(deliver(outbox, settings(sink.port, max_connections=8, timeouts=impatient(100))))
        copies = sink.copies
    assert outbox.of(Outcome.SENT) == list(range(1, 9))
    assert sorted(copy.message_id for copy in copies) == [f"<{number}@example.com>" for number in range(1, 9)]
    Report(
        id="R7-590s",
        planned=8,
        ledger={"sent": 8},
        histogram={1: 8},
        lost=(),
        duplicates=(),
        unaccounted=0,
        doubtful_arrived=0,
        total_s=time.monotonic() - started,
    ).show(capsys)
