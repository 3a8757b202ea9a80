"""Deferring work: a job is named here and now, in the caller's transaction, and handled later by a worker."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from postroom.kit.types import JSONValue


@dataclass(frozen=True, slots=True)
class Job:
    """The name of a job, ``app.verb_noun``, and the queue it waits in; its handler lives in ``workers``."""

    name: str
    queue: str = "default"


@dataclass(frozen=True, slots=True)
class QueueState:
    """How much waits, runs and was given up, and since when the oldest job that could run waits."""

    waiting: int
    running: int
    failed: int
    oldest_waiting_at: datetime | None


def defer(
    job: Job, *, lock: str = "", queueing_lock: str = "", schedule_at: datetime | None = None, **args: JSONValue
) -> None:
    """Have ``job`` run with ``args`` once the current transaction commits, not before ``schedule_at``.

    Jobs with an equal ``lock`` run one after the other. While a job with an equal ``queueing_lock`` waits, no second
    one is added.
    """
    deferrer = app.configure_task(
        job.name,
        queue=job.queue,
        lock=lock or None,
        queueing_lock=queueing_lock or None,
        schedule_at=schedule_at,
    )
    try:
        # The savepoint keeps the caller's transaction alive when the queueing lock refuses.
        with transaction.atomic():
            deferrer.defer(**args)
    except AlreadyEnqueued:
        return


def worker_seen_at() -> datetime | None:
    """Return the last sign of life of any worker."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(last_heartbeat) FROM procrastinate_workers")
        (at,) = cursor.fetchone()
    seen: datetime | None = at
    return seen


def queue_state() -> QueueState:
    """Return the state of all queues together."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE status = 'todo'), count(*) FILTER (WHERE status = 'doing'),"
            " count(*) FILTER (WHERE status = 'failed') FROM procrastinate_jobs"
        )
        waiting, running, failed = cursor.fetchone()
        cursor.execute(
            "SELECT min(coalesce(job.scheduled_at, event.at)) FROM procrastinate_jobs job"
            " JOIN procrastinate_events event ON event.job_id = job.id AND event.type = 'deferred'"
            " WHERE job.status = 'todo' AND (job.scheduled_at IS NULL OR job.scheduled_at <= now())"
        )
        (oldest,) = cursor.fetchone()
    return QueueState(waiting, running, failed, oldest)
