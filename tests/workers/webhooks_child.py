"""A deliverer of its own process for the tests beside this file: python webhooks_child.py LEASE_SECONDS."""

import signal
import sys
import threading
from datetime import timedelta

import django

django.setup()

from postroom.core.webhooks.types import NOTIFY_CALLS  # noqa: E402
from postroom.workers.loops import running_loops  # noqa: E402
from postroom.workers.registry import Loop  # noqa: E402
from postroom.workers.webhooks import Deliverer  # noqa: E402

if __name__ == "__main__":
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    deliverer = Deliverer(lease=timedelta(seconds=float(sys.argv[1])))
    with running_loops([Loop(deliverer.step, 0.2, NOTIFY_CALLS, deliverer.close)]):
        stop.wait()
