"""The worker process: runs deferred jobs, and the loops that look for due work."""

import asyncio
import signal
from dataclasses import dataclass
from datetime import datetime

from postroom.workers import events, schedules
from postroom.workers.jobs import build_app
from postroom.workers.loops import running_loops
from postroom.workers.registry import LOOPS, Loop, Step
from postroom.workers.rescue import rescue_jobs

HANDLER_MODULES = (events, schedules)
"""Importing them registers their handlers and loops."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many jobs run at a time, and how soon a silent worker's jobs are taken over."""

    concurrency: int = 4
    heartbeat_s: float = 5.0
    silent_for_s: float = 20.0
    rescue_every_s: float = 5.0
    look_every_s: float = 2.0
    finish_within_s: float = 20.0


def main() -> None:
    """Run until SIGTERM or SIGINT; the exit status is 1 when the worker ended by itself."""
    if not run_worker(Pace()):
        raise SystemExit(1)


def run_worker(pace: Pace) -> bool:
    """Run jobs and loops; return whether a signal asked for the end. Running jobs may finish first."""
    with running_loops([*LOOPS, Loop(_rescue_at(pace), pace.rescue_every_s)]):
        return asyncio.run(_run_jobs(pace))


async def _run_jobs(pace: Pace) -> bool:
    engine = build_app()
    async with engine.open_async():
        work = asyncio.create_task(
            engine.run_worker_async(
                concurrency=pace.concurrency,
                delete_jobs="successful",
                # New jobs are heard of at once; those put back are found by looking.
                fetch_job_polling_interval=pace.look_every_s,
                install_signal_handlers=False,
                update_heartbeat_interval=pace.heartbeat_s,
                stalled_worker_timeout=pace.silent_for_s,
                shutdown_graceful_timeout=pace.finish_within_s,
            )
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, work.cancel)
        try:
            await work
        except asyncio.CancelledError:
            return True
    return False


def _rescue_at(pace: Pace) -> Step:
    def rescue(now: datetime) -> bool:
        rescue_jobs(now=now, silent_for_s=pace.silent_for_s)
        return False

    return rescue
