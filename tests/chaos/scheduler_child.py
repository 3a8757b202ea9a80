"""A scheduler whose clock runs faster: python scheduler_child.py SECOND_1 SPEED, until it is killed.

It takes the steps of a worker that look at the clock, as the worker does, at SPEED times the pace; SECOND_1 is the
moment (s since 1970) from which its clock ran ahead.
"""

import sys
import threading
import time
from datetime import UTC, datetime

import django

django.setup()

from postroom.kit import clock  # noqa: E402
from postroom.workers import schedules  # noqa: E402
from postroom.workers.loops import running_loops  # noqa: E402
from postroom.workers.registry import LOOPS, Loop  # noqa: E402

BEGAN, SPEED = float(sys.argv[1]), float(sys.argv[2])
STEPS = (schedules.run_due_recurrences, schedules.start_due_campaigns)


def virtual_now() -> datetime:
    """Return the instant of the faster clock."""
    return datetime.fromtimestamp(BEGAN + (time.time() - BEGAN) * SPEED, UTC)


if __name__ == "__main__":
    clock.now = virtual_now
    loops = [Loop(loop.step, loop.every_s / SPEED) for loop in LOOPS if loop.step in STEPS]
    with running_loops(loops):
        threading.Event().wait()
