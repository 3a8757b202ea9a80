"""``postroom up``."""

import asyncio

from django.conf import settings

from postroom.config.supervisor.plan import ensure_ports_free, exclusive, make_plan
from postroom.config.supervisor.run import Supervisor
from postroom.config.supervisor.terminal import Terminal


def run_everything() -> int:
    """Run all parts until a signal says stop; return the exit code. Raises AlreadyRunning or PortInUse."""
    with exclusive(settings.DATA_DIR):
        ensure_ports_free()
        return asyncio.run(Supervisor(make_plan(), Terminal(), f"ready: {settings.PUBLIC_URL}").run())
