"""Making, starting and stopping the embedded server."""

import contextlib
import fcntl
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg

from postroom.config.postgres import files
from postroom.config.postgres.layout import Layout, PostgresError, prepare_layout, socket_directory
from postroom.kit.processes import Command

NAME: Final = "postroom"
SUPERUSER: Final = "postgres"
PORT: Final = "5432"  # names the socket; the server does not listen on TCP
# Crash recovery may replay minutes of work; a server that is coming up is never given up on early.
START_TIMEOUT_S: Final = 600
STOP_TIMEOUT_S: Final = 60


def connection_parameters(data_dir: Path) -> dict[str, str]:
    """Return Django's NAME, USER, HOST and PORT for the server of ``data_dir``, whether or not it runs."""
    return {"NAME": NAME, "USER": NAME, "HOST": str(socket_directory(data_dir)), "PORT": PORT}


def start(data_dir: Path, *, durable: bool = True) -> None:
    """Start the server in the background unless it runs, and return when it takes connections.

    ``durable=False`` trades safety after a power cut for speed: for tests alone. Raises PostgresError.
    """
    with _exclusive(data_dir):
        layout = _prepare(data_dir, durable=durable)
        if not _runs(layout):
            files.remove_stale_locks(layout.data, layout.socket)
            _control(layout, "start", "-l", str(layout.log), "-t", str(START_TIMEOUT_S))
        _wait_ready(data_dir, layout)


def stop(data_dir: Path) -> None:
    """Stop the server, if it runs: clients are cut off, what is committed is safe. Raises PostgresError."""
    if not (data_dir / "postgres").exists():
        return
    with _exclusive(data_dir):
        _stop(prepare_layout(data_dir))


def foreground_command(data_dir: Path, *, durable: bool = True) -> Command:
    """Prepare the server to run as a child of the caller; one left over by a dead parent is stopped first.

    Raises PostgresError.
    """
    with _exclusive(data_dir):
        layout = _prepare(data_dir, durable=durable)
        _stop(layout)
        files.remove_stale_locks(layout.data, layout.socket)
    arguments = (str(layout.programs / "postgres"), "-D", str(layout.data))
    account = layout.account
    return Command(arguments, _environment(), account.uid if account else None, account.gid if account else None)


def is_running(data_dir: Path) -> bool:
    """Whether a server process of ``data_dir`` is alive, ready or not."""
    return (data_dir / "postgres").exists() and _runs(prepare_layout(data_dir))


def is_ready(data_dir: Path) -> bool:
    """Whether the server takes connections now; False while it is still starting up or recovering."""
    if not files.says_ready(data_dir / "postgres" / "data"):
        return False  # and asking would only fill its log
    host = str(socket_directory(data_dir))
    try:
        psycopg.connect(dbname=NAME, user=NAME, host=host, port=PORT, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _wait_ready(data_dir: Path, layout: Layout) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not is_ready(data_dir):
        if not _runs(layout) or time.monotonic() > deadline:
            raise PostgresError(f"PostgreSQL in {data_dir} takes no connections. Its log is {layout.log}.")
        time.sleep(0.05)


@contextlib.contextmanager
def _exclusive(data_dir: Path) -> Iterator[None]:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data_dir / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _prepare(data_dir: Path, *, durable: bool) -> Layout:
    layout = prepare_layout(data_dir)
    if not layout.data.exists():
        _initialise(layout)
    if not _runs(layout):
        files.write_configuration(layout, _people(layout), durable=durable)
    return layout


def _initialise(layout: Layout) -> None:
    """Make the cluster, its role and its database beside their place, then move them there in one step."""
    draft = layout.home / "draft"
    shutil.rmtree(draft, ignore_errors=True)
    options = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    _run(layout, "initdb", "-D", str(draft), "-U", SUPERUSER, "-A", "peer", "--data-checksums", *options)
    statements = f"CREATE ROLE {NAME} LOGIN CREATEDB;\nCREATE DATABASE {NAME} OWNER {NAME};\n"
    _run(layout, "postgres", "--single", "-D", str(draft), SUPERUSER, standard_input=statements)
    draft.rename(layout.data)


def _people(layout: Layout) -> list[str]:
    """Return the operating system users who may connect: whoever runs this, and the server's own account."""
    try:
        own = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError as error:
        message = f"User {os.geteuid()} has no name on this machine, which PostgreSQL needs. Set DATABASE_URL instead."
        raise PostgresError(message) from error
    return [own] if layout.account is None else [own, layout.account.name]


def _runs(layout: Layout) -> bool:
    return files.find_postmaster(layout.data) is not None


def _stop(layout: Layout) -> None:
    """Stop politely, then at once: the write-ahead log keeps what was committed either way."""
    if not _runs(layout):
        return
    try:
        _control(layout, "stop", "-m", "fast", "-t", "8")
    except PostgresError:
        if _runs(layout):
            _control(layout, "stop", "-m", "immediate", "-t", str(STOP_TIMEOUT_S))


def _control(layout: Layout, act: str, *arguments: str) -> None:
    _run(layout, "pg_ctl", act, "-w", "-s", "-D", str(layout.data), *arguments)


def _run(layout: Layout, program: str, *arguments: str, standard_input: str = "") -> None:
    account = layout.account
    done = subprocess.run(
        [str(layout.programs / program), *arguments],
        input=standard_input,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd="/",
        env=_environment(),
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        check=False,
    )
    if done.returncode:
        raise PostgresError(f"{program} failed: {done.stdout.strip() or done.returncode}. Its log is {layout.log}.")


def _environment() -> dict[str, str]:
    """Return an environment in which none of our secrets and no PG* variable of the user reaches the server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
