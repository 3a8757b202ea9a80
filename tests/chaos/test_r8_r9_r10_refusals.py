"""R8, R9 and R10: a mail server that refuses for a time, for good, and until we give up."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from postroom.core.contacts.models import Suppression
from postroom.core.mail import selectors
from postroom.core.mail.models import Batch, Chunk, DeliveryEvent, Message, SenderAccount
from postroom.core.mail.rules.settling import GIVE_UP_AFTER
from postroom.core.mail.types import BatchStatus, ChunkStatus, MessageStatus, RefusalKind
from postroom.kit import clock
from tests.chaos.report import Report, match
from tests.factories import make_workspace
from tests.senders import SenderChild, make_campaign, make_smtp_sender, wait_until
from tests.sinks import Fault, Plan, Sink

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

PEOPLE: Final = 1_000
REFUSALS: Final = 3


@pytest.fixture
def start_sender(tmp_path: Path) -> Iterator[Callable[[], SenderChild]]:
    children: list[SenderChild] = []

    def start() -> SenderChild:
        children.append(SenderChild(tmp_path / "data"))
        return children[-1]

    yield start
    for child in children:
        child.kill()


def test_three_in_ten_are_put_off_three_times_and_all_arrive(
    start_sender: Callable[[], SenderChild], capsys: pytest.CaptureFixture[str]
) -> None:
    put_off = [
        Fault("rcpt", reply="450 4.2.1 busy", times=REFUSALS, match=f"<p{number}@")
        for number in range(1, PEOPLE * 3 // 10 + 1)
    ]
    gaps: dict[int, list[float]] = defaultdict(list)
    with Sink(Plan(faults=tuple(put_off))) as sink:
        workspace = make_workspace()
        batch = make_campaign(workspace, make_smtp_sender(workspace, sink.port), PEOPLE)
        started = time.monotonic()
        start_sender()
        wait_until(lambda: Batch.objects.get(pk=batch.pk).status == BatchStatus.DONE, 60)
        for _ in range(REFUSALS):
            wait_until(_is_nothing_under_way)
            _note_gaps(gaps)
            _let_time_pass()
        wait_until(lambda: not Message.objects.exclude(status=MessageStatus.SENT).exists(), 60)
        report = match(id="R8", planned=PEOPLE, copies=sink.copies, total_s=time.monotonic() - started)
    _show(report, capsys, gaps)
    assert (report.sent, report.lost, report.duplicates) == (PEOPLE, (), ())
    assert len(gaps) == len(put_off)
    assert max(Message.objects.values_list("tries", flat=True)) == REFUSALS + 1
    for first, second, third in gaps.values():
        assert [round(first / 60 / 5.25), round(second / 60 / 10.5), round(third / 60 / 21)] == [1, 1, 1]
        assert first < second < third
    assert not Suppression.objects.exists()
    assert selectors.count_batch(batch_id=batch.pk).delivered == PEOPLE


def _is_nothing_under_way() -> bool:
    is_chunk_open = Chunk.objects.exclude(status=ChunkStatus.DONE).exists()
    due = Message.objects.filter(status=MessageStatus.DEFERRED, next_attempt_at__lte=clock.now())
    claimed = Message.objects.filter(status__in=(MessageStatus.CLAIMED, MessageStatus.QUEUED))
    return not (is_chunk_open or due.exists() or claimed.exists())


def _note_gaps(gaps: dict[int, list[float]]) -> None:
    said_at: dict[int, datetime] = {}
    for event in DeliveryEvent.objects.filter(type="deferred").order_by("at"):
        said_at[event.message_id] = event.at
    for message_id, due_at in Message.objects.filter(status=MessageStatus.DEFERRED).values_list(
        "pk", "next_attempt_at"
    ):
        assert due_at is not None
        gaps[message_id].append((due_at - said_at[message_id]).total_seconds())


def _let_time_pass() -> None:
    Message.objects.filter(status=MessageStatus.DEFERRED).update(next_attempt_at=clock.now())


def _show(report: Report, capsys: pytest.CaptureFixture[str], gaps: dict[int, list[float]]) -> None:
    rows = list(gaps.values())
    minutes = [f"{min(row[at] for row in rows) / 60:.1f} to {max(row[at] for row in rows) / 60:.1f}" for at in range(3)]
    notes = {"gaps in minutes": " · ".join(minutes), "suppressed": Suppression.objects.count()}
    Report(**{name: getattr(report, name) for name in report.__slots__} | {"notes": notes}).show(capsys)


def test_four_refusals_for_good_are_tried_once_each_and_only_the_bad_address_is_suppressed(
    start_sender: Callable[[], SenderChild], capsys: pytest.CaptureFixture[str]
) -> None:
    replies = {
        "550 5.1.1 no such user": RefusalKind.BAD_ADDRESS,
        "552 mailbox full": RefusalKind.MAILBOX,
        "554 5.7.1 spam message rejected": RefusalKind.CONTENT,
        "550 5.7.515 access denied, sending domain does not meet the required level": RefusalKind.CONFIGURATION,
    }
    faults = [Fault("rcpt", reply=reply, match=f"<p{number}@") for number, reply in enumerate(replies, start=1)]
    with Sink(Plan(faults=tuple(faults))) as sink:
        workspace = make_workspace()
        sender = make_smtp_sender(workspace, sink.port)
        make_campaign(workspace, sender, 20)
        started = time.monotonic()
        start_sender()
        wait_until(lambda: Message.objects.count() == 20)
        time.sleep(1)  # a second try would come at once
        report = match(id="R9", planned=20, copies=sink.copies, total_s=time.monotonic() - started)
    report.show(capsys)
    failed = Message.objects.filter(status=MessageStatus.FAILED)
    assert set(failed.values_list("tries", "attempt")) == {(1, 1)}
    assert (report.sent, failed.count(), report.extra_copies) == (16, 4, 0)
    assert Suppression.objects.count() == 1
    kinds = [event.data["kind"] for event in DeliveryEvent.objects.filter(type="bounced")]
    assert sorted(kinds) == sorted(kind.value for kind in replies.values())
    assert "Microsoft" in SenderAccount.objects.get(pk=sender.pk).last_error
    told = {
        row.status: selectors.find_transcript(workspace=workspace, message_uid=row.uid) for row in Message.objects.all()
    }
    assert [len(attempts) for attempts in told.values()] == [1, 1]
    assert {attempts[0].outcome for attempts in told.values()} == {"sent", "failed"}
    assert all(str(sink.port) in attempts[0].session for attempts in told.values()), told
    assert told["failed"][0].kind is not None


def test_a_message_that_is_only_put_off_is_given_up_once_after_five_days(
    start_sender: Callable[[], SenderChild], capsys: pytest.CaptureFixture[str]
) -> None:
    with Sink(Plan(faults=(Fault("rcpt", reply="451 4.3.0 try again later"),))) as sink:
        workspace = make_workspace()
        batch = make_campaign(workspace, make_smtp_sender(workspace, sink.port), 5)
        started = time.monotonic()
        start_sender()
        wait_until(lambda: Message.objects.filter(status=MessageStatus.DEFERRED).count() == 5)
        _age(GIVE_UP_AFTER - timedelta(minutes=1))
        wait_until(lambda: DeliveryEvent.objects.filter(type="deferred").count() == 10)
        assert not Message.objects.filter(status=MessageStatus.FAILED).exists()
        _age(timedelta(minutes=1))
        wait_until(lambda: Message.objects.filter(status=MessageStatus.FAILED).count() == 5)
        time.sleep(1)
        report = match(id="R10", planned=5, copies=sink.copies, total_s=time.monotonic() - started)
    report.show(capsys)
    events = DeliveryEvent.objects.filter(type="failed")
    assert events.count() == 5
    assert {(event.data["action"], event.data["status"], event.data["tries"]) for event in events} == {
        ("failed", "4.4.7", 3)
    }
    assert (report.unaccounted, selectors.count_batch(batch_id=batch.pk).failed) == (0, 5)


def _age(by: timedelta) -> None:
    """Let what waits have waited longer, and be due."""
    for message in Message.objects.filter(status=MessageStatus.DEFERRED):
        assert message.first_attempt_at is not None
        Message.objects.filter(pk=message.pk).update(
            first_attempt_at=message.first_attempt_at - by, next_attempt_at=clock.now()
        )
