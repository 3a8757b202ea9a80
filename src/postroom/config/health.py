"""What monitoring asks: whether this process lives, whether the installation is ready, and its figures.

All but what waits on a machine's own disk comes from the database, so every process tells the same story.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import Final

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from postroom.core.insights.selectors import installation
from postroom.edge.disk import measure_spools
from postroom.kit.metrics import Series, render

# A worker says that it lives every 10 seconds.
OLDEST_HEARTBEAT: Final = timedelta(seconds=30)

# Reading all migrations costs far more than the rest, and what is applied stays so for as long as this code runs.
_migrated: Final = Event()

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, free of any framework."""

    status: int
    content_type: str
    body: bytes


def answer_live() -> Answer:
    """Say that this process answers; touches nothing else."""
    return _text(200, "alive\n")


def answer_ready(*, now: datetime) -> Answer:
    """Say whether mail and pages can flow, with one line for each thing that is missing (status 503)."""
    try:
        missing = find_missing(now=now)
    except DatabaseError as error:
        log.warning("health.database_unreachable", error=type(error).__name__)
        missing = ["The database does not answer."]
    return _text(503, "".join(f"{line}\n" for line in missing)) if missing else _text(200, "ready\n")


def find_missing(*, now: datetime) -> list[str]:
    """Return what keeps this installation from being ready. Raises DatabaseError."""
    if not _migrated.is_set():
        if count := count_pending_migrations():
            return [f"{count} migrations are not applied: run postroom migrate."]
        _migrated.set()
    heartbeat = installation.find_worker_heartbeat()
    if heartbeat is None or now - heartbeat > OLDEST_HEARTBEAT:
        return ["No worker has shown life in the last 30 seconds: run postroom worker."]
    return []


def count_pending_migrations() -> int:
    """Count the migrations this code brings that the database does not have."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def answer_metrics(*, now: datetime) -> Answer:
    """Give the figures of this machine and of the installation in the text format of Prometheus; without the database
    those of this machine alone.
    """
    series = list_local_series()
    try:
        series += list_series(now=now)
        is_up = 1.0
    except DatabaseError as error:
        log.warning("health.database_unreachable", error=type(error).__name__)
        is_up = 0.0
    series.append(Series("postroom_database_up", "Whether the database answers.", {"": is_up}))
    return Answer(200, "text/plain; version=0.0.4; charset=utf-8", render(series))


def list_local_series() -> list[Series]:
    """Return the figures of this machine."""
    waiting = measure_spools(settings.EDGE_DIR)
    return [Series("postroom_spool_octets", "Kept on this machine until the database is back.", waiting, "spool")]


def list_series(*, now: datetime) -> list[Series]:
    """Return the figures of the installation. Raises DatabaseError."""
    figures = installation.read_figures(now=now)
    return [
        Series("postroom_jobs_waiting", "Jobs waiting for a worker.", figures.jobs_waiting, "queue"),
        Series("postroom_job_oldest_seconds", "Age of the oldest job that is due.", {"": figures.oldest_job_s}),
        Series("postroom_messages", "Messages of the ledger that are not at rest.", figures.messages, "status"),
        Series("postroom_recipients_waiting", "Recipients of batches still to be sent to.", {"": figures.recipients}),
        Series("postroom_hits_waiting", "Opens, clicks and reports stored but not yet applied.", {"": figures.hits}),
        Series("postroom_events_waiting", "Domain events not yet heard by everyone.", {"": figures.events}),
        Series("postroom_inbound_waiting", "Inbound messages stored but not yet read.", {"": figures.inbound}),
        Series("postroom_workers", "Workers that show life.", {"": figures.workers}),
    ]


def _text(status: int, body: str) -> Answer:
    return Answer(status, "text/plain; charset=utf-8", body.encode())
