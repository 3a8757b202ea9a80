"""A worker process with a few jobs for the tests beside this file: python worker_child.py TRACE_FILE."""

import os
import sys
import time
from pathlib import Path

import django

django.setup()

from postroom.kit.errors import Invalid  # noqa: E402
from postroom.kit.jobs import Job  # noqa: E402
from postroom.workers.registry import gives_up, handles  # noqa: E402
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


@gives_up(Job("tests.poison"))
def park_poison(*, reason: str) -> None:
    """Leave a word."""
    note("poison given up")


@handles(Job("tests.refuse"))
def refuse(*, text: str) -> None:
    """Fail as expected."""
    raise Invalid(f"There is no {text}.")


@gives_up(Job("tests.refuse"))
def note_refusal(*, text: str, reason: str) -> None:
    """Leave the reason."""
    note(f"{text} given up: {reason}")


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
