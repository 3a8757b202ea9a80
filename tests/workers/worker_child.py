"""A worker process with a few jobs for the tests beside this file: python worker_child.py TRACE_FILE."""

import os
import sys
import time
from pathlib import Path

import django

django.setup()

from postroom.kit.jobs import Job  # noqa: E402
from postroom.workers.registry import handles  # noqa: E402
from postroom.workers.worker import Pace, run_worker  # noqa: E402

TRACE = Path(sys.argv[1])
PACE = Pace(concurrency=2, heartbeat_s=0.3, silent_for_s=1.5, rescue_every_s=0.3, look_every_s=0.3, finish_within_s=1)


def note(text: str) -> None:
    """Append a line to the trace, in one write."""
    with TRACE.open("a") as file:
        file.write(f"{os.getpid()} {text}\n")


@handles(Job("tests.take_long"))
def take_long(*, seconds: float) -> None:
    """Take as long as told."""
    note("long started")
    time.sleep(seconds)
    note("long ended")


@handles(Job("tests.poison"))
def poison() -> None:
    """Kill the worker."""
    note("poison")
    os.kill(os.getpid(), 9)


@handles(Job("tests.fail"))
def fail() -> None:
    """Fail unexpectedly."""
    note("fail")
    raise ZeroDivisionError


@handles(Job("tests.say"))
def say(*, text: str) -> None:
    """Leave a word."""
    note(text)


if __name__ == "__main__":
    sys.exit(0 if run_worker(PACE) else 1)
