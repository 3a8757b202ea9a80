"""When a silent worker counts as dead."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection

from postroom.kit.jobs import Job, defer
from postroom.workers import worker
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def take_with_a_silent_worker() -> None:
    """Have the only job be in the hands of a worker that was last heard an hour ago."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id"
        )
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", cursor.fetchone())


def status() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT status FROM procrastinate_jobs")
        return str(cursor.fetchone()[0])


def test_silence_counts_only_while_the_database_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    defer(Job("tests.say"), text="hello")
    take_with_a_silent_worker()
    rescue = worker._rescue_at(worker.Pace(heartbeat_s=5.0))

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


def _fail() -> None:
    raise OperationalError("the server is away")
