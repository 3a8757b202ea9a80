"""When a silent worker counts as dead."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from postroom.kit.jobs import Job, defer
from postroom.workers import worker
from postroom.workers.roll import Roll
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def take_with_a_worker_silent_for(interval: str) -> int:
    """Have the only job be in the hands of a worker that was last heard so long ago; return its number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - %s::interval) RETURNING id", [interval]
        )
        (worker_id,) = cursor.fetchone()
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", [worker_id])
    return int(worker_id)


def status() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT status FROM procrastinate_jobs")
        return str(cursor.fetchone()[0])


def test_silence_counts_only_while_the_database_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    defer(Job("tests.say"), text="hello")
    take_with_a_worker_silent_for("1 hour")
    rescue = worker._rescue_at(worker.Pace(heartbeat_s=5.0), Roll(tmp_path))

    rescue(NOW)
    rescue(NOW + timedelta(seconds=9))
    assert status() == "doing", "it may have been silent because nobody could hear it"

    with monkeypatch.context() as outage:
        outage.setattr(worker, "find_worker_heartbeat", _fail)
        with pytest.raises(OperationalError):
            rescue(NOW + timedelta(seconds=14))
    rescue(NOW + timedelta(seconds=19))
    assert status() == "doing", "an outage begins the count anew"

    rescue(NOW + timedelta(seconds=29))
    assert status() == "todo"


def test_a_worker_that_died_on_this_machine_is_not_waited_for(tmp_path: Path) -> None:
    defer(Job("tests.say"), text="hello")
    worker_id = take_with_a_worker_silent_for("8 seconds")
    rescue = worker._rescue_at(worker.Pace(), Roll(tmp_path))
    living = Roll(tmp_path)
    living.sign(worker_id)
    rescue(NOW)
    assert status() == "doing", "it lives: its lock is held"

    assert living._lock is not None
    os.close(living._lock)  # as its death does
    rescue(NOW)
    assert status() == "todo"
    rescue(NOW)
    assert not list(tmp_path.iterdir())


def test_an_old_lock_says_nothing_about_a_worker_that_shows_life(tmp_path: Path) -> None:
    defer(Job("tests.say"), text="hello")
    worker_id = take_with_a_worker_silent_for("1 second")
    (tmp_path / str(worker_id)).touch()
    worker._rescue_at(worker.Pace(), Roll(tmp_path))(NOW)
    assert status() == "doing"


def _fail() -> None:
    raise OperationalError("the server is away")
