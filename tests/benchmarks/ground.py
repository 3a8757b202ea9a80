"""A whole installation of its own for one run: data directory, durable PostgreSQL, settings; gone when the run ends."""

import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import NoReturn

from tests.benchmarks.rounds import say

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def installation() -> Iterator[Path]:
    """Make a fresh installation with production settings and set Django up on it; yield its data directory."""
    signal.signal(signal.SIGTERM, _leave)
    with TemporaryDirectory(prefix="postroom-bench-") as name:
        directory = Path(name)
        for setting in [key for key in os.environ if key.startswith("POSTROOM_")] + ["DATABASE_URL"]:
            os.environ.pop(setting, None)
        os.environ.update(
            POSTROOM_DATA_DIR=name,
            POSTROOM_INTERNAL_SMTP_HOSTS="*",
            DJANGO_SETTINGS_MODULE="postroom.config.settings",
        )
        import django

        django.setup()
        with _database(directory):
            yield directory


@contextmanager
def child(command: list[str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program until the block ends, then ask it to leave, and make it."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def find_program(name: str) -> str:
    """Return the path of a reference program, or end with a sentence."""
    path = shutil.which(name)
    if path is None:
        sys.exit(f"{name} is missing: `make bench` fetches it from Debian's packages.")
    return path


def cpu_seconds(pid: int) -> float:
    """Return the processor time a process has used so far (Linux: utime and stime of proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_memory_kb(pid: int) -> int:
    """Return the most memory a process has held so far (Linux: VmHWM of proc(5))."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def describe_machine() -> None:
    """Say what everything ran on; an absolute rate means nothing without it."""
    from importlib.metadata import version

    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (server,) = cursor.fetchone()
    load = os.getloadavg()[0]
    versions = ", ".join(f"{name} {version(name)}" for name in ("Django", "psycopg", "granian", "uvloop"))
    say(
        f"{os.cpu_count()} CPUs ({platform.machine()}), load {load:.1f}, Python {platform.python_version()}, "
        f"{versions}, PostgreSQL {server}, commits are synchronous"
    )


@contextmanager
def _database(directory: Path) -> Iterator[None]:
    from django.core.management import call_command
    from django.db import connections

    from postroom.config import postgres

    socket = postgres.socket_directory(directory)
    try:
        postgres.start(directory)
        call_command("migrate", verbosity=0)
        yield
    finally:
        connections.close_all()
        postgres.stop(directory)
        for place in ((directory / "postgres").resolve(), socket):
            with suppress(FileNotFoundError):
                shutil.rmtree(place)


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit("Stopped.")
