"""The worker process: runs deferred jobs, and the loops that look for due work."""

import asyncio
import os
import signal
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from procrastinate import App
from procrastinate.app import WorkerOptions
from procrastinate.worker import Worker

from postroom.core.insights.selectors.installation import find_worker_heartbeat
from postroom.workers import campaigns, contacts, mail, schedules, webhooks
from postroom.workers.jobs import build_app
from postroom.workers.loops import running_loops
from postroom.workers.registry import LOOPS, Loop, Step
from postroom.workers.rescue import put_back_jobs, rescue_jobs
from postroom.workers.roll import LONG_DEAD_S, Roll

HANDLER_MODULES = (campaigns, contacts, mail, schedules, webhooks)
"""Importing them registers their handlers and loops."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many jobs run at a time, and how soon a silent worker's jobs are taken over."""

    concurrency: int = 4
    heartbeat_s: float = 5.0
    silent_for_s: float = 20.0
    rescue_every_s: float = 2.0
    look_every_s: float = 2.0
    finish_within_s: float = 8.0


def main() -> None:
    """Run until SIGTERM or SIGINT; the exit status is 1 when the worker ended by itself."""
    if not run_worker(Pace()):
        raise SystemExit(1)


def run_worker(pace: Pace) -> bool:
    """Run jobs and loops; return whether a signal asked for the end. Running jobs may finish first."""
    roll = Roll(settings.DATA_DIR / "workers")
    with running_loops([*LOOPS, Loop(_rescue_at(pace, roll), pace.rescue_every_s)]):
        return asyncio.run(_run_jobs(pace, roll))


async def _run_jobs(pace: Pace, roll: Roll) -> bool:
    engine = build_app()
    async with engine.open_async():
        worker = Worker(engine, **_options(engine, pace))
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, _stop, worker, stopping, pace)
        signing = asyncio.create_task(_sign(roll, worker))
        await worker.run()  # type: ignore[no-untyped-call]
        signing.cancel()
    return stopping.is_set()


async def _sign(roll: Roll, worker: Worker) -> None:
    """Enter the roll as soon as the engine has given the worker its number."""
    while worker.worker_id is None:
        await asyncio.sleep(0.05)
    roll.sign(worker.worker_id)


def _options(engine: App, pace: Pace) -> WorkerOptions:
    return {
        **engine.worker_defaults,
        "concurrency": pace.concurrency,
        "delete_jobs": "successful",
        # New jobs are heard of at once; those put back are found by looking.
        "fetch_job_polling_interval": pace.look_every_s,
        "install_signal_handlers": False,
        "update_heartbeat_interval": pace.heartbeat_s,
        "stalled_worker_timeout": pace.silent_for_s,
    }


def _stop(worker: Worker, stopping: asyncio.Event, pace: Pace) -> None:
    """Take no more jobs; what still runs after ``finish_within_s`` is put back, and the process ends regardless."""
    if stopping.is_set():
        return
    stopping.set()
    worker.stop()  # type: ignore[no-untyped-call]
    deadline = threading.Timer(pace.finish_within_s, _leave, (worker,))
    deadline.daemon = True
    deadline.start()


def _leave(worker: Worker) -> None:
    try:
        put_back_jobs(worker_id=worker.worker_id)
    finally:
        # A thread cannot be stopped from outside; its transaction ends with the process.
        os._exit(0)


def _rescue_at(pace: Pace, roll: Roll) -> Step:
    """Silence counts only while workers could be heard: after an outage of the database all of them were silent. Those
    that are known to have died on this machine are not waited for.
    """
    heard_since: datetime | None = None

    def rescue(now: datetime) -> bool:
        nonlocal heard_since
        since, heard_since = heard_since or now, None
        find_worker_heartbeat()  # while the database is away, this raises
        if roll.strike_dead():
            rescue_jobs(now=now, silent_for_s=LONG_DEAD_S)
        if now - since >= timedelta(seconds=2 * pace.heartbeat_s):
            rescue_jobs(now=now, silent_for_s=pace.silent_for_s)
        heard_since = since
        return False

    return rescue
