"""R5: a sender is frozen with all ready to leave, others take over, and it wakes up: nobody gets anything twice."""

import signal
import time
from pathlib import Path
from typing import Final

import pytest

from postroom.core.mail import services as mail
from postroom.core.mail.models import Batch, Message, SenderAccount, SenderProcess
from postroom.core.mail.types import BatchStatus, MessageClass, MessageStatus, NewMessage
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from tests.chaos.report import Kill, match
from tests.factories import make_workspace
from tests.senders import COMPOSITION, SenderChild, make_campaign, make_smtp_sender, wait_until
from tests.sinks import Fault, Plan, SinkProcess

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

SINGLES: Final = 400
PEOPLE: Final = 1_000
CONNECTIONS: Final = 8
LEASE_S: Final = 2.0
"""As long as a sender of the tests believes what it saw (see ``tests/workers/sender_child.py``)."""

SLOW_TO_ASK: Final = Plan(faults=(Fault("data", delay_s=20.0, times=CONNECTIONS),))
"""Its first answers to DATA take so long that a sender can be frozen before any body leaves."""


def test_a_frozen_sender_whose_mail_others_took_sends_none_of_it_when_it_wakes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = make_workspace()
    started = time.monotonic()
    with SinkProcess(tmp_path / "sink.log", SLOW_TO_ASK) as sink:
        sender = make_smtp_sender(workspace, sink.port, connections=CONNECTIONS)
        batch = make_campaign(workspace, sender, PEOPLE)
        accept(sender, SINGLES)
        zombie = SenderChild(tmp_path / "zombie")
        others: list[SenderChild] = []
        try:
            wait_until(lambda: Message.objects.filter(status=MessageStatus.CLAIMED).count() == SINGLES)
            owner = SenderProcess.objects.get().owner
            time.sleep(1.0)  # its connections stand at DATA
            zombie.signal(signal.SIGSTOP)
            assert len(sink.copies) == 0
            others += [SenderChild(tmp_path / f"other-{number}") for number in range(2)]
            time.sleep(2 * LEASE_S)
            mail.abandon_claims(owner=owner, now=clock.now())
            Message.objects.filter(status=MessageStatus.DEFERRED).update(next_attempt_at=clock.now())
            taken = wait_until(lambda: all_sent(SINGLES), timeout_s=120)
            wait_until(lambda: Batch.objects.get(pk=batch.pk).status == BatchStatus.DONE, timeout_s=120)
            before = len(sink.copies)
            zombie.signal(signal.SIGCONT)
            time.sleep(25.0)  # by then every connection of its has been asked for its body
            assert len(sink.copies) == before
            accept(sender, 50)  # it is as good as new
            for other in others:
                assert other.stop() == 0
            wait_until(lambda: all_sent(SINGLES + 50), timeout_s=60)
            assert zombie.stop() == 0
        finally:
            for child in (zombie, *others):
                child.kill()
        report = match(
            id="R5",
            planned=PEOPLE + SINGLES + 50,
            copies=sink.copies,
            kills=[Kill("sender", "frozen before any body left", taken)],
            total_s=time.monotonic() - started,
        )
    report.show(capsys)
    assert (report.lost, report.duplicates, report.unaccounted) == ((), (), 0)
    assert (report.sent, report.in_doubt) == (
        SINGLES + 50 + sent_by_others(batch.pk),
        PEOPLE - sent_by_others(batch.pk),
    )
    assert "claim_lost" in zombie.log


def accept(sender: SenderAccount, count: int) -> None:
    """Accept mail that must arrive."""
    messages = [
        NewMessage(
            sender_id=sender.pk,
            message_class=MessageClass.TRANSACTIONAL,
            to=(f"single{number}@people.example",),
            composition=COMPOSITION,
        )
        for number in range(count)
    ]
    mail.accept_messages(workspace=sender.workspace, messages=messages, actor=SYSTEM, now=clock.now())


def all_sent(count: int) -> bool:
    return Message.objects.filter(status=MessageStatus.SENT, batch=None).count() == count


def sent_by_others(batch_id: int) -> int:
    """Count the campaign's messages that the others found unclaimed, and sent."""
    return Message.objects.filter(status=MessageStatus.SENT, batch_id=batch_id).count()
