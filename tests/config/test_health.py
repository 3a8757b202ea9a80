"""What monitoring hears: alive, ready or why not, and the figures."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection

from postroom.config import health

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    health._migrated.clear()


def add_worker(heartbeat: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s)", [heartbeat])


def add_job(queue: str, scheduled_at: datetime | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, scheduled_at) VALUES (%s, 't', '{}', %s)",
            [queue, scheduled_at],
        )


def test_a_process_that_answers_is_alive_whatever_the_database_does() -> None:
    assert health.answer_live().status == 200


@pytest.mark.django_db
def test_ready_needs_a_worker_that_shows_life() -> None:
    add_worker(NOW - timedelta(minutes=1))
    silent = health.answer_ready(now=NOW)
    assert silent.status == 503
    assert b"No worker" in silent.body
    add_worker(NOW - timedelta(seconds=5))
    assert health.answer_ready(now=NOW).status == 200


@pytest.mark.django_db
def test_missing_migrations_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "count_pending_migrations", lambda: 2)
    answer = health.answer_ready(now=NOW)
    assert (answer.status, answer.body) == (503, b"2 migrations are not applied: run postroom migrate.\n")


def test_a_database_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise OperationalError("connection refused")

    monkeypatch.setattr(health, "count_pending_migrations", refuse)
    assert health.answer_ready(now=NOW).body == b"The database does not answer.\n"


@pytest.mark.django_db
def test_the_figures_count_what_waits() -> None:
    add_worker(NOW)
    add_job("mail", NOW - timedelta(seconds=40))
    add_job("mail", NOW - timedelta(seconds=10))
    add_job("mail", NOW + timedelta(seconds=10))
    answer = health.answer_metrics(now=NOW)
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    text = answer.body.decode()
    for line in (
        'postroom_jobs_waiting{queue="mail"} 2.0',
        "postroom_job_oldest_seconds 40.0",
        'postroom_messages{status="in_doubt"} 0.0',
        "postroom_hits_waiting 0.0",
        "postroom_workers 1.0",
    ):
        assert f"\n{line}\n" in text
