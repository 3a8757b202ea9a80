"""The servers of the API benchmark: ours, and the references in environments of their own."""

import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote, urlencode

import psutil
from django.db import connection

from tests.benchmarks.ground import ROOT, child, find_program
from tests.edge.front_door import SERVE, free_port

REFERENCES: Final = ROOT / "tests" / "benchmarks" / "references"
REFERENCE_PYTHON: Final = ROOT / ".tools" / "references" / "bin" / "python"


@dataclass
class Server:
    """A program that takes letters at ``path`` of a port, while the block runs."""

    name: str
    command: list[str]
    port: int
    path: str
    environment: Mapping[str, str]
    log: Path
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        os.environ.update(self.environment)
        process = self._stack.enter_context(child(self.command, self.log))
        self._process = psutil.Process(process.pid)
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        """Where letters go."""
        return f"http://127.0.0.1:{self.port}{self.path}"

    def cpu_s(self) -> float:
        """Return the processor time of all its processes so far."""
        return sum(_cpu_s(process) for process in (self._process, *self._process.children(recursive=True)))

    def _wait(self) -> None:
        for _ in range(300):
            try:
                urllib.request.urlopen(self.url, timeout=5).close()
            except urllib.error.HTTPError:
                return  # it answers, if only that this is no letter
            except OSError:
                time.sleep(0.1)
            else:
                return
        sys.exit(f"{self.name} never answered:\n{self.log.read_text()[-2000:]}")


def database_cpu_s() -> float:
    """Return the processor time of PostgreSQL and all its sessions so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    server = psutil.Process(backend).parent()
    assert server is not None
    return sum(_cpu_s(process) for process in (server, *server.children(recursive=True)))


def postroom(directory: Path, key: str, workers: int) -> Server:
    """The front door, as ``postroom web`` runs it."""
    port = free_port()
    environment = {
        "POSTROOM_WEB_PORT": str(port),
        "POSTROOM_WEB_WORKERS": str(workers),
        "POSTROOM_LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "-c", SERVE]
    return Server("Postroom", command, port, "/usesend/api/v1/emails", environment, directory / "web.log")


def ceiling(directory: Path, key: str, workers: int) -> Server:
    """Bare ASGI with one INSERT for all who wait."""
    return _granian("ceiling", "ceiling", "asgi", str(REFERENCE_PYTHON), directory, key, workers)


def fastapi(directory: Path, key: str, workers: int) -> Server:
    """FastAPI and asyncpg."""
    return _granian("FastAPI", "fastapi_server", "asgi", str(REFERENCE_PYTHON), directory, key, workers)


def ninja(directory: Path, key: str, workers: int) -> Server:
    """Django Ninja and the ORM."""
    return _granian("Django Ninja", "ninja_server", "wsgi", sys.executable, directory, key, workers)


def fastify(directory: Path, key: str, workers: int) -> Server:
    """Node with Fastify and pg."""
    port = free_port()
    environment = {**_environment(key), "BENCH_PORT": str(port), "BENCH_WORKERS": str(workers)}
    command = [find_program("node"), str(REFERENCES / "server.mjs")]
    return Server("Fastify", command, port, "/v1/emails", environment, directory / "fastify.log")


def _granian(name: str, module: str, interface: str, python: str, directory: Path, key: str, workers: int) -> Server:
    if not Path(python).exists():
        sys.exit(f"{python} is missing: `make bench-api` makes it.")
    port = free_port()
    options = ["--interface", interface, "--workers", str(workers), "--port", str(port), "--no-ws"]
    options += ["--blocking-threads", "8"] if interface == "wsgi" else ["--loop", "uvloop"]
    command = [python, "-m", "granian", *options, "--working-dir", str(REFERENCES), "--log-level", "error"]
    return Server(
        name, [*command, f"{module}:application"], port, "/v1/emails", _environment(key), directory / f"{module}.log"
    )


def _environment(key: str) -> dict[str, str]:
    where = connection.settings_dict
    port = str(where["PORT"] or 5432)
    query = urlencode({"host": where["HOST"], "port": port})
    return {
        "BENCH_KEY": key,
        "BENCH_DATABASE": f"postgresql://{quote(where['USER'])}@/{where['NAME']}?{query}",
        "BENCH_DSN": f"dbname={where['NAME']} user={where['USER']} host={where['HOST']} port={port}",
    }


def _cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
