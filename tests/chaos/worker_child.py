"""A worker as shipped, with jobs that tell when they ran: python worker_child.py TRACE_FILE [DIRECTORY_OF_DEATHS].

Each file in the directory is a death: whoever takes it away dies inside its next rescue, after so many jobs as it says.
"""

import os
import signal
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import django

django.setup()

from postroom.kit.jobs import Job  # noqa: E402
from postroom.workers import rescue  # noqa: E402
from postroom.workers.registry import gives_up, handles  # noqa: E402
from postroom.workers.worker import Pace, run_worker  # noqa: E402

TRACE = Path(sys.argv[1])


def note(*words: object) -> None:
    """Append a line to the trace, in one write."""
    with TRACE.open("a") as file:
        file.write(" ".join(str(word) for word in (os.getpid(), round(time.time(), 3), *words)) + "\n")


@handles(Job("chaos.mark"))
def mark(*, number: int, deferred_at: float) -> None:
    """Tell how long it waited."""
    note("mark", number, time.time() - deferred_at)


@handles(Job("chaos.innocent"))
def work(*, number: int, deferred_at: float) -> None:
    """Take a second, as a job that was in the wrong worker at the wrong time."""
    note("begun", number)
    time.sleep(1)
    note("innocent", number, time.time() - deferred_at)


@handles(Job("chaos.slow_at_first"))
def slow_at_first(*, number: int, deaths: int) -> None:
    """Take ten minutes until so many have died in their rescue, and no time after."""
    note("begun", number)
    if sum(line.endswith(" dies") for line in TRACE.read_text().splitlines()) < deaths:
        time.sleep(600)
    note("done", number)


@handles(Job("chaos.poison"))
def poison() -> None:
    """Kill the worker, once its other jobs have begun."""
    note("poison")
    time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGKILL)


@gives_up(Job("chaos.poison"))
def park_poison(*, reason: str) -> None:
    """Leave the reason."""
    note("parked", reason)


def take_a_death(directory: Path) -> int | None:
    """Return after how many jobs of a rescue this process is to die, None when nothing is left to die of."""
    for path in sorted(directory.iterdir()):
        jobs = int(path.read_text())
        try:
            path.unlink()
        except FileNotFoundError:
            continue
        return jobs
    return None


def die_in_rescue(after: int) -> None:
    """Have this process killed in the transaction of the first rescue that finds anything."""
    settle, settled = rescue._settle, 0

    def settle_or_die(job: dict[str, Any], now: datetime) -> None:
        nonlocal settled
        if settled == 0:
            note("rescue")
        if settled == after:
            note("dies")
            os.kill(os.getpid(), signal.SIGKILL)
        settle(job, now)
        settled += 1

    rescue._settle = settle_or_die


if __name__ == "__main__":
    note("up")
    death = take_a_death(Path(sys.argv[2])) if len(sys.argv) > 2 else None
    if death is not None:
        die_in_rescue(death)
    sys.exit(0 if run_worker(Pace()) else 1)
