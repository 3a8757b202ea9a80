"""R1 and R2: kill -9 a sender twenty times while 20,000 messages leave; nothing is lost, only doubt may repeat."""

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from postroom.core.mail import services as mail
from postroom.core.mail.models import Batch, Message
from postroom.core.mail.types import BatchStatus, MessageClass, MessageStatus, NewMessage
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from tests.chaos.report import Kill, match
from tests.factories import make_workspace
from tests.senders import COMPOSITION, SenderChild, make_campaign, make_smtp_sender, wait_until
from tests.sinks import Fault, Plan, SinkProcess

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

PEOPLE: Final = 20_000
KILLS: Final = 20
CONNECTIONS: Final = 8
BACK_WITHIN_S: Final = 60
SLOW_SERVER: Final = Plan(faults=(Fault("dot", delay_s=0.002),))
"""A server that takes its time, so that a kill meets bodies on the wire."""


@pytest.fixture
def seed() -> int:
    """Where chance begins: ``POSTROOM_SEED`` repeats a run."""
    return int(os.environ.get("POSTROOM_SEED") or random.randrange(10**6))


def test_a_campaign_survives_twenty_kills_and_mails_nobody_twice(
    tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "copies"
    with SinkProcess(log, SLOW_SERVER) as sink:
        workspace = make_workspace()
        batch = make_campaign(workspace, make_smtp_sender(workspace, sink.port, connections=CONNECTIONS), PEOPLE)
        started = time.monotonic()
        kills = _send_through_kills(tmp_path, log, random.Random(seed), lambda: _has_ended(batch.pk))
        report = match(
            id="R1",
            planned=PEOPLE,
            copies=sink.copies,
            kills=kills,
            seed=seed,
            total_s=time.monotonic() - started,
        )
    report.show(capsys)
    assert (report.lost, report.duplicates, report.unaccounted) == ((), (), 0)
    assert report.sent + report.in_doubt == PEOPLE
    assert report.in_doubt <= KILLS * CONNECTIONS
    assert max(kill.recovery_s for kill in kills) < BACK_WITHIN_S


def test_letters_that_must_arrive_survive_twenty_kills_and_only_the_doubtful_come_again(
    tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "copies"
    with SinkProcess(log, SLOW_SERVER) as sink:
        workspace = make_workspace()
        sender = make_smtp_sender(workspace, sink.port, connections=CONNECTIONS)
        _accept_letters(workspace, sender.pk)
        started = time.monotonic()
        kills = _send_through_kills(tmp_path, log, random.Random(seed), _has_everything_left)
        report = match(
            id="R2",
            planned=PEOPLE,
            copies=sink.copies,
            kills=kills,
            seed=seed,
            total_s=time.monotonic() - started,
        )
        headers = set(Message.objects.values_list("message_id_header", flat=True))
        strangers = [copy for copy in sink.copies if copy.message_id not in headers]
    report.show(capsys)
    doubted = Message.objects.filter(is_resent=True).count()
    assert (report.lost, report.unaccounted, strangers) == ((), 0, [])
    assert report.sent + report.in_doubt == PEOPLE
    assert report.extra_copies <= doubted <= KILLS * CONNECTIONS
    assert all(one.is_resent and one.copies == 2 for one in report.duplicates)
    assert max(kill.recovery_s for kill in kills) < BACK_WITHIN_S


def _accept_letters(workspace: Workspace, sender_id: int) -> None:
    for start in range(0, PEOPLE, 2000):
        letters = [
            NewMessage(
                sender_id=sender_id,
                message_class=MessageClass.TRANSACTIONAL,
                to=(f"p{number}@people.example",),
                composition=COMPOSITION,
            )
            for number in range(start, start + 2000)
        ]
        mail.accept_messages(workspace=workspace, messages=letters, actor=SYSTEM, now=clock.now())


def _send_through_kills(place: Path, log: Path, chance: random.Random, has_ended: Callable[[], bool]) -> list[Kill]:
    """Send everything, killing the sender whenever a goal is reached; return the kills."""
    kills: list[Kill] = []
    sender = SenderChild(place / "data")
    try:
        for goal in sorted(chance.sample(range(300, PEOPLE - 1500), KILLS)):
            wait_until(lambda goal=goal: count_lines(log) >= goal, timeout_s=120)  # type: ignore[misc]
            sender.kill()
            at_kill = count_lines(log)
            sender = SenderChild(place / "data")
            back = wait_until(lambda at_kill=at_kill: count_lines(log) > at_kill, timeout_s=BACK_WITHIN_S)  # type: ignore[misc]
            kills.append(Kill("sender", f"{at_kill:,} copies out", back))
        wait_until(has_ended, timeout_s=180)  # the doubtful wait a minute before they go again
        assert sender.stop() == 0
    finally:
        sender.kill()
    return kills


def _has_ended(batch_id: int) -> bool:
    return Batch.objects.get(pk=batch_id).status == BatchStatus.DONE


def _has_everything_left() -> bool:
    waiting = (MessageStatus.QUEUED, MessageStatus.CLAIMED, MessageStatus.DEFERRED)
    return not Message.objects.filter(status__in=waiting).exists()


def count_lines(log: Path) -> int:
    """Return how many copies the sink has written down."""
    return log.read_bytes().count(b"\n") if log.exists() else 0
