"""The web process: granian serving the front door, with workers that cannot outlive it."""

import os
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from django.conf import settings
from granian import Granian
from granian.constants import HTTPModes, Interfaces

from postroom.config import ports
from postroom.kit.processes import die_with_parent

STOP_TIMEOUT_S: Final = 8
# Let the root logger, which is ours, print what granian has to say.
LOGGING: Final[dict[str, Any]] = {
    "formatters": {},
    "handlers": {},
    "loggers": {"_granian": {"propagate": True}, "granian.access": {"propagate": True}},
}


def serve() -> None:
    """Serve the front door until SIGTERM; a worker that dies is replaced. Raises PortInUse."""
    ports.ensure_free(settings.WEB_HOST, settings.WEB_PORT, "POSTROOM_WEB_PORT")
    server = Granian(
        "postroom.config.asgi:application",
        address=settings.WEB_HOST,
        port=settings.WEB_PORT,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        workers=settings.WEB_WORKERS,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_TIMEOUT_S,
        log_dictconfig=LOGGING,
    )
    server.serve(target_loader=partial(_load_application, os.getpid()), wrap_loader=False)


def _load_application(server: int) -> Callable[..., Any]:
    """Load the front door in a fresh worker, after tying its life to that of the ``server`` process."""
    die_with_parent(server)
    from postroom.config.asgi import application

    return application
