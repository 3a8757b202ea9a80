"""Jobs of workers that died: found by the silence of their worker, run again, parked when they kill every worker."""

import json
from datetime import datetime
from typing import Any, Final

import structlog
from django.db import connection, transaction
from procrastinate import sql
from procrastinate.contrib.django import app

from postroom.workers.jobs import give_up

# How often a job may take its worker down before it is parked as failed.
MAX_KILLS: Final = 3
FORGET_FAILED_AFTER_HOURS: Final = 24 * 30
SUSPECTS: Final = "postroom.suspects"
_LOCK_NAME: Final = "postroom.rescue"

log = structlog.get_logger(__name__)


@transaction.atomic
def rescue_jobs(*, now: datetime, silent_for_s: float) -> int:
    """Put back the jobs of workers without a sign of life for ``silent_for_s``; return how many were found.

    A job that was rescued waits behind the others: its priority counts, downwards, how many workers it was lost with.
    It shares one lock with all other suspects, so that the one which kills takes no innocent along a second time.
    One process rescues at a time, so that a job just put back and taken again is not put back once more.
    """
    if not _is_my_turn():
        return 0
    jobs = app.connector.execute_query_all(
        sql.queries["select_stalled_jobs_by_heartbeat"],
        queue=None,
        task_name=None,
        seconds_since_heartbeat=silent_for_s,
    )
    for job in jobs:
        _settle(job, now)
    app.connector.execute_query_all(
        sql.queries["prune_stalled_workers"], seconds_since_heartbeat=max(silent_for_s, 60.0)
    )
    return len(jobs)


def put_back_jobs(*, worker_id: int | None) -> None:
    """Put back what a worker still runs as it leaves; the jobs are not to blame."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT procrastinate_retry_job_v2(id, now(), NULL, NULL, NULL) FROM procrastinate_jobs"
            " WHERE worker_id = %s AND status = 'doing'",
            [worker_id],
        )


def forget_old_jobs() -> None:
    """Delete jobs that ended for good a month ago; successful ones are deleted as they end."""
    app.connector.execute_query(
        sql.queries["delete_old_jobs"],
        queue=None,
        nb_hours=FORGET_FAILED_AFTER_HOURS,
        statuses=["failed", "aborted", "cancelled"],
    )


def _is_my_turn() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [_LOCK_NAME])
        return bool(cursor.fetchone()[0])


def _settle(job: dict[str, Any], now: datetime) -> None:
    kills = 1 - job["priority"]
    log.warning("job_lost_its_worker", job_id=job["id"], job=job["task_name"], kills=kills)
    if kills >= MAX_KILLS:
        reason = f"{kills} workers died with it"
        log.error("job_parked", job_id=job["id"], job=job["task_name"], reason=reason)
        arguments = json.loads(job["args"])  # Django's own connection leaves JSON as text
        give_up(job["task_name"], arguments, f"It was given up after {reason}.")
        app.connector.execute_query(sql.queries["finish_job"], job_id=job["id"], status="failed", delete_job=False)
        return
    app.job_manager.retry_job_by_id(job["id"], retry_at=now, priority=job["priority"] - 1, lock=SUSPECTS)
