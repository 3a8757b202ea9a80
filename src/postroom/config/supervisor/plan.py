"""Which parts there are, in which order they start, and how each is found to be ready."""

import contextlib
import fcntl
import http.client
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection

from postroom.config import ports, postgres
from postroom.config.bootstrap import Refused
from postroom.config.database import is_embedded
from postroom.config.health import count_pending_migrations
from postroom.config.supervisor.parts import Part
from postroom.kit.processes import Command

# A killed predecessor's parts need a moment to go and give their ports back.
PATIENCE_S: Final = 5.0
SMTP_PORTS: Final = ("SMTP", "SANDBOX", "SUBMISSION", "SUBMISSIONS")


class AlreadyRunning(Refused):
    """Another supervisor has this data directory."""


@contextlib.contextmanager
def exclusive(data_dir: Path) -> Iterator[None]:
    """Hold ``data_dir`` for this supervisor alone. Raises AlreadyRunning."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data_dir / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            message = f"Postroom already runs on {data_dir}, as process {lock.read().strip() or 'unknown'}."
            raise AlreadyRunning(f"{message} Stop that one, or choose another POSTROOM_DATA_DIR.") from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def ensure_ports_free() -> None:
    """Raise PortInUse when another program listens where one of our parts will."""
    for name in ("WEB", *SMTP_PORTS):
        host, port = getattr(settings, f"{name}_HOST"), getattr(settings, f"{name}_PORT")
        ports.ensure_free(host, port, f"POSTROOM_{name}_PORT", PATIENCE_S)


def make_plan() -> list[list[Part]]:
    """Return the parts in stages: a stage starts when the one before is ready, and stops before it."""
    database = [_postgres()] if is_embedded() else []
    migrate = Part("migrate", partial(own_command, "migrate"), is_ready=None, is_needed=_are_migrations_missing)
    return [
        database,
        [migrate],
        [_own("worker", None), *_senders(), _own("web", _web_answers), _own("smtp", _smtp_answers)],
    ]


def own_command(*arguments: str) -> Command:
    """Return the command of one of our own programs."""
    # A part's lines end up on the supervisor's terminal, so that decides their form.
    form = os.environ.get("POSTROOM_LOG_FORMAT") or ("console" if sys.stdout.isatty() else "json")
    environment = {**os.environ, "POSTROOM_LOG_FORMAT": form, "PYTHONUNBUFFERED": "1"}
    return Command((sys.executable, "-m", "postroom.config", *arguments), environment)


def _postgres() -> Part:
    data_dir = settings.DATA_DIR
    return Part(
        name="postgres",
        make_command=partial(postgres.foreground_command, data_dir),
        is_ready=partial(postgres.is_ready, data_dir),
        stop_signal=signal.SIGINT,  # "fast": cut clients off, write everything down
        death_signal=signal.SIGQUIT,  # "immediate": every process of it ends now, the log replays at the next start
        stop_timeout_s=60,
    )


def _senders() -> list[Part]:
    """Return the senders of this machine: each a process, with a journal and claims of its own."""
    one = _own("sender", None)
    return [replace(one, name=f"sender-{number + 1}") for number in range(settings.SENDERS)]


def _own(name: str, is_ready: Callable[[], bool] | None) -> Part:
    needs = frozenset({"postgres"} if is_embedded() else ())
    return Part(name=name, make_command=partial(own_command, name), is_ready=is_ready, needs=needs)


def _are_migrations_missing() -> bool:
    try:
        return bool(count_pending_migrations())
    finally:
        connection.close()  # the supervisor itself talks to no database while it runs


def _web_answers() -> bool:
    connection = http.client.HTTPConnection(ports.reachable_host(settings.WEB_HOST), settings.WEB_PORT, timeout=5)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    return False


def _smtp_answers() -> bool:
    return all(
        ports.is_answering(getattr(settings, f"{name}_HOST"), getattr(settings, f"{name}_PORT")) for name in SMTP_PORTS
    )
