"""A stand-in's server carries an account's mail while its own is down: real servers, a real sender process."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from postroom.core.mail import selectors
from postroom.core.mail.models import Batch, Message, SenderAccount
from postroom.core.workspaces.models import Workspace
from postroom.kit import clock
from tests.factories import make_workspace
from tests.senders import SenderChild, make_campaign, make_smtp_sender, wait_until
from tests.sinks import Fault, Plan, Sink, audit

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 900
SLOW = Fault("dot", delay_s=0.02)


@pytest.fixture(autouse=True)
def _small_chunks(settings: Settings) -> None:
    settings.SENDER_CHUNK_SIZE = 60


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Callable[[], SenderChild]]:
    """Start a sender process that does not outlive the test."""
    children: list[SenderChild] = []

    def start() -> SenderChild:
        children.append(SenderChild(tmp_path / "data"))
        return children[-1]

    yield start
    for child in children:
        child.kill()


def make_pair(workspace: Workspace, own: int, other: int) -> SenderAccount:
    """Return an account at port ``own``; the one at port ``other`` stands in for it at once."""
    account = make_smtp_sender(workspace, own, connections=2)
    account.fallback = make_smtp_sender(workspace, other, connections=2, name="Stand-in")
    account.fallback_after_s = 0
    account.save()
    return account


def is_over(batch: Batch) -> bool:
    return Batch.objects.get(pk=batch.pk).status == "done"


def test_what_the_first_server_refuses_the_second_carries_until_the_first_is_back(
    sender: Callable[[], SenderChild],
) -> None:
    workspace = make_workspace()
    away = Fault("greeting", reply="421 4.3.2 down", times=2)
    with Sink(Plan(faults=(away, SLOW), keeps_bodies=True)) as first, Sink(Plan(faults=(SLOW,))) as second:
        account = make_pair(workspace, first.port, second.port)
        batch = make_campaign(workspace, account, PEOPLE)
        child = sender()
        wait_until(lambda: is_over(batch), timeout_s=60)
        assert child.stop() == 0
        copies = [*first.copies, *second.copies]
        found = audit(Message.objects.values_list("message_id_header", flat=True), copies)
        assert (found.lost, found.duplicates, len(copies)) == (frozenset(), {}, PEOPLE)
        assert first.copies
        assert second.copies
        assert b"\r\nFrom: desk@news.example\r\n" in b"\r\n" + first.copies[0].body
    counts = selectors.count_batch(batch_id=batch.pk)
    assert (counts.delivered, counts.in_doubt) == (PEOPLE, 0)
    account.refresh_from_db()
    assert (account.failing_since, account.failure_count) == (None, 0)


def test_a_server_that_dies_in_the_middle_loses_and_doubles_nothing(sender: Callable[[], SenderChild]) -> None:
    workspace = make_workspace()
    with Sink(Plan(faults=(SLOW,))) as second:
        with Sink(Plan(faults=(SLOW,))) as first:
            account = make_pair(workspace, first.port, second.port)
            batch = make_campaign(workspace, account, PEOPLE)
            child = sender()
            wait_until(lambda: len(first.copies) > 100)
        wait_until(lambda: is_over(batch), timeout_s=60)
        # Those that were about to leave several times while the server died wait longer than a test can.
        Message.objects.filter(status="deferred").update(next_attempt_at=clock.now())
        wait_until(lambda: not Message.objects.filter(status__in=("deferred", "claimed")).exists())
        assert child.stop() == 0
        sent = Message.objects.filter(status="sent").values_list("message_id_header", flat=True)
        found = audit(sent, [*first.copies, *second.copies])
        assert (found.lost, found.duplicates) == (frozenset(), {})
        assert second.copies
    counts = selectors.count_batch(batch_id=batch.pk)
    assert counts.delivered + counts.in_doubt == PEOPLE
    assert counts.in_doubt <= 2  # one for each connection that was cut
    account.refresh_from_db()
    assert account.failing_since is not None
