"""D9: a campaign whose addresses refuse it, or whose readers complain, stops itself; its author is told once."""

import time
from pathlib import Path
from typing import Final

import pytest

from postroom.core.events.models import DomainEvent
from postroom.core.mail import services as mail
from postroom.core.mail.models import Batch, Message
from postroom.core.mail.types import EventType, Hit, NewLimit, Per
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from tests.chaos.figures import show_figures
from tests.factories import make_workspace
from tests.senders import SenderChild, make_campaign, make_smtp_sender, wait_until
from tests.sinks import Fault, Plan, SinkProcess

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

PEOPLE: Final = 12_000
FURTHER: Final = 100
"""How many messages may leave after the one that was too much."""

NO_SUCH_USER: Final = Plan(faults=(Fault("rcpt", reply="550 5.1.1 no such user", match="gone"),))
SOME_GONE: Final = ("gone{}@people.example", *(["p{}@people.example"] * 35))
"""2.8 %: with 2.5 % exactly, the share would swing about the line, and chance say on which side it is looked at."""


def _is_paused(batch: Batch) -> bool:
    batch.refresh_from_db()
    return batch.status == "paused"


@pytest.mark.parametrize("processes", [1, 2])
def test_at_full_speed_bounces_stop_it_within_a_hundred_messages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], processes: int
) -> None:
    workspace = make_workspace()
    with SinkProcess(tmp_path / "sink.log", NO_SUCH_USER) as sink:
        sender = make_smtp_sender(workspace, sink.port, connections=8)
        batch = make_campaign(workspace, sender, PEOPLE, SOME_GONE)
        children = [SenderChild(tmp_path / f"sender-{number}") for number in range(processes)]
        try:
            wait_until(lambda: _is_paused(batch), timeout_s=120)
            answered = Message.objects.filter(batch=batch).count()
            time.sleep(2)
            copies = len(sink.copies)
            for child in children:
                assert child.stop() == 0
        finally:
            for child in children:
                child.kill()
    bounced = Message.objects.filter(batch=batch, bounced_at__isnull=False).count()
    figures = {"processes": processes, "answered": answered, "bounced": bounced, "further": answered - 1000}
    show_figures(f"D9-bounces-{processes}", {**figures, "reason": batch.error}, capsys)
    assert copies == answered - bounced
    assert answered <= 1000 + FURTHER
    assert DomainEvent.objects.filter(name="mail.batch_braked").count() == 1


def test_a_complaint_of_two_thousand_stops_it_within_a_hundred_messages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = make_workspace()
    with SinkProcess(tmp_path / "sink.log") as sink:
        sender = make_smtp_sender(workspace, sink.port)
        limit = NewLimit(sender_id=sender.pk, most=6000, per=Per.MINUTE)
        mail.set_limit(workspace=workspace, new=limit, actor=SYSTEM, now=clock.now())
        batch = make_campaign(workspace, sender, 4000)
        child = SenderChild(tmp_path / "sender")
        try:
            wait_until(lambda: Message.objects.filter(batch=batch).count() >= 1000, timeout_s=120)
            first = Message.objects.filter(batch=batch).order_by("pk").first()
            assert first is not None
            hit = Hit(key="arf 1", type=EventType.COMPLAINED, message_id=first.pk, at=clock.now())
            before = len(sink.copies)
            mail.store_hits(hits=[hit])
            mail.apply_hits(now=clock.now())
            wait_until(lambda: _is_paused(batch), timeout_s=30)
            time.sleep(1)
            after = len(sink.copies)
            assert child.stop() == 0
        finally:
            child.kill()
    show_figures("D9-complaints", {"left before": before, "further": after - before, "reason": batch.error}, capsys)
    assert after - before <= FURTHER
    assert DomainEvent.objects.filter(name="mail.batch_braked").count() == 1
