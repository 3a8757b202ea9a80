"""A worker runs what was deferred, and another takes over what a killed one left."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction

from postroom.core.events import services as events
from postroom.core.events.models import DomainEvent
from postroom.core.events.types import NewEvent
from postroom.core.insights.selectors.installation import find_worker_heartbeat
from postroom.kit.jobs import Job, defer
from tests.factories import make_workspace
from tests.processes import child_environment

pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """The file in which jobs leave their words."""
    path = tmp_path / "trace"
    path.touch()
    return path


@pytest.fixture
def start_worker(trace: Path) -> Iterator[Start]:
    """Start worker processes; none outlives the test."""
    children: list[subprocess.Popen[bytes]] = []

    def start() -> "subprocess.Popen[bytes]":
        command = [sys.executable, str(Path(__file__).with_name("worker_child.py")), str(trace)]
        children.append(subprocess.Popen(command, env=child_environment()))
        return children[-1]

    yield start
    for child in children:
        child.kill()
        child.wait()


def wait_until(condition: Callable[[], bool], timeout_s: float = 20.0) -> float:
    """Return after how many seconds ``condition`` held."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < timeout_s, "waited in vain"
        time.sleep(0.05)
    return time.monotonic() - started


def lines(trace: Path, word: str) -> list[str]:
    """Return the trace's lines that end with ``word``."""
    return [line for line in trace.read_text().splitlines() if line.endswith(word)]


def job_rows(name: str) -> list[tuple[str, int]]:
    """Return (status, attempts) of the stored jobs of that name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT status, attempts FROM procrastinate_jobs WHERE task_name = %s ORDER BY id", [name])
        return cursor.fetchall()


def test_a_job_commits_or_vanishes_with_its_transaction() -> None:
    with transaction.atomic():
        defer(Job("tests.say"), text="gone")
        transaction.set_rollback(True)
    with transaction.atomic():
        defer(Job("tests.say"), text="kept")
    assert job_rows("tests.say") == [("todo", 0)]


def test_a_worker_runs_jobs_and_stops_when_told(start_worker: Start, trace: Path) -> None:
    defer(Job("tests.say"), text="before")
    worker = start_worker()
    wait_until(lambda: bool(lines(trace, "before")))
    defer(Job("tests.say"), text="after")
    assert wait_until(lambda: bool(lines(trace, "after"))) < 3, "a new job is heard of at once"
    seen = find_worker_heartbeat()
    assert seen is not None
    assert datetime.now(UTC) - seen < timedelta(seconds=10)
    defer(Job("tests.take_long"), seconds=0.4)
    wait_until(lambda: bool(lines(trace, "long started")))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(15) == 0
    assert lines(trace, "long ended"), "a running job may finish"
    assert job_rows("tests.take_long") == []


def test_the_job_of_a_killed_worker_runs_again(start_worker: Start, trace: Path) -> None:
    defer(Job("tests.take_long"), seconds=3.0)
    first = start_worker()
    wait_until(lambda: bool(lines(trace, "long started")))
    start_worker()
    first.kill()
    assert wait_until(lambda: len(lines(trace, "long started")) == 2) < 15
    wait_until(lambda: bool(lines(trace, "long ended")))
    wait_until(lambda: job_rows("tests.take_long") == [])
    assert len(lines(trace, "long ended")) == 1


def test_a_job_that_kills_every_worker_is_parked_after_three(start_worker: Start, trace: Path) -> None:
    defer(Job("tests.poison"))
    worker = start_worker()
    for _ in range(3):
        worker.wait(20)
        worker = start_worker()
    wait_until(lambda: job_rows("tests.poison") == [("failed", 3)])
    defer(Job("tests.say"), text="still here")
    wait_until(lambda: bool(lines(trace, "still here")))
    assert len(lines(trace, "poison")) == 3
    assert len(lines(trace, "poison given up")) == 1
    assert worker.poll() is None


def test_a_job_that_kills_takes_an_innocent_one_along_once_only(start_worker: Start, trace: Path) -> None:
    worker = start_worker()
    defer(Job("tests.take_long"), seconds=1.0)
    wait_until(lambda: bool(lines(trace, "long started")))
    defer(Job("tests.poison"))
    for _ in range(3):
        worker.wait(20)
        worker = start_worker()
    wait_until(lambda: job_rows("tests.poison") == [("failed", 3)])
    assert job_rows("tests.take_long") == []
    assert (len(lines(trace, "long started")), len(lines(trace, "long ended"))) == (2, 1)


def test_a_job_that_is_not_tried_again_says_so_to_whoever_waits(start_worker: Start, trace: Path) -> None:
    defer(Job("tests.refuse"), text="egg")
    start_worker()
    wait_until(lambda: job_rows("tests.refuse") == [("failed", 1)])
    assert len(lines(trace, "egg given up: There is no egg.")) == 1


def test_a_job_that_takes_too_long_to_stop_is_put_back_and_blamed_for_nothing(start_worker: Start, trace: Path) -> None:
    defer(Job("tests.take_long"), seconds=30.0)
    worker = start_worker()
    wait_until(lambda: bool(lines(trace, "long started")))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 0
    assert job_rows("tests.take_long") == [("todo", 1)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT priority FROM procrastinate_jobs")
        assert cursor.fetchone() == (0,)


def test_an_unexpected_failure_is_tried_again_later(start_worker: Start, trace: Path) -> None:
    defer(Job("tests.fail"))
    start_worker()
    wait_until(lambda: len(lines(trace, "fail")) == 2)
    wait_until(lambda: job_rows("tests.fail") == [("todo", 2)])


def test_waiting_events_are_dispatched_by_the_worker(start_worker: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_handlers", {})
    events.subscribe("thing.done", print)
    start_worker()
    room = make_workspace()
    with transaction.atomic():
        events.record_event(workspace=room, event=NewEvent("thing.done", "thing", 1), now=datetime.now(UTC))
    wait_until(lambda: DomainEvent.objects.get().dispatched_at is not None)
