"""A whole Postroom of its own for a test: ``postroom up`` on free ports and fresh data."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import psutil
import psycopg
from django.conf import settings

from postroom.config import ports, postgres
from tests.servers import remove_server

# What the command line of each part's main process contains.
PARTS = {
    "postgres": "bin/postgres -D",
    "web": "postroom.config web",
    "worker": "postroom.config worker",
    "sender": "postroom.config sender",
    "smtp": "postroom.config smtp",
}


class Running:
    """Starts, watches, kills and stops ``postroom up``."""

    def __init__(self, place: Path, **environment: str) -> None:
        self._own = environment
        self.data_dir = place / "var"
        self.web_port, self.smtp_port, self.sandbox_port, self.submission_port, self.submissions_port = free_ports(5)
        self.log = place / "up.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as out:
            command = [sys.executable, "-m", "postroom.config", "up"]
            self.process = subprocess.Popen(command, stdout=out, stderr=out, env=self._environment())

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command against the same installation."""
        return self.run_module("postroom.config", *arguments)

    def run_module(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a module in the installation's environment."""
        command = [sys.executable, "-m", name, *arguments]
        return subprocess.run(command, env=self._environment(), capture_output=True, text=True, check=False)

    def lines(self) -> list[str]:
        return self.log.read_text(errors="replace").splitlines()

    def _environment(self) -> dict[str, str]:
        environment = {
            **os.environ,
            "POSTROOM_DATA_DIR": str(self.data_dir),
            "POSTROOM_SECRET_KEY": settings.SECRET_KEY,  # so that the test can sign tokens
            "POSTROOM_WEB_PORT": str(self.web_port),
            "POSTROOM_SMTP_PORT": str(self.smtp_port),
            "POSTROOM_SANDBOX_PORT": str(self.sandbox_port),
            "POSTROOM_SUBMISSION_PORT": str(self.submission_port),
            "POSTROOM_SUBMISSIONS_PORT": str(self.submissions_port),
            "POSTROOM_SENDERS": "1",  # so that whoever is found after a kill is the successor
            **self._own,
        }
        environment.pop("DATABASE_URL", None)
        return environment

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def remove(self) -> None:
        """Kill what runs and delete its database."""
        self.kill()
        remove_server(self.data_dir)

    def family(self) -> list[psutil.Process]:
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def find_part(self, name: str) -> psutil.Process | None:
        assert self.process is not None
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.NoSuchProcess):
                if PARTS[name] in " ".join(child.cmdline()):
                    return child
        return None

    def is_ready(self) -> bool:
        return (
            all(self.find_part(name) for name in PARTS)
            and ports.is_answering("127.0.0.1", self.smtp_port)
            and ports.is_answering("127.0.0.1", self.sandbox_port)
            and self.fetch("/health/ready") == 200
        )

    def fetch(self, path: str, agent: str = "test") -> int:
        """Return the status of a GET, or 0 when there is no answer."""
        request = Request(f"http://127.0.0.1:{self.web_port}{path}", headers={"User-Agent": agent})
        try:
            with urlopen(request, timeout=10) as response:
                return int(response.status)
        except HTTPError as error:
            return error.code
        except (URLError, OSError):
            return 0

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        where = postgres.connection_parameters(self.data_dir)
        return psycopg.connect(dbname=where["NAME"], user=where["USER"], host=where["HOST"], port=where["PORT"])

    def are_ports_free(self) -> bool:
        return all(ports.is_free("127.0.0.1", port) for port in (self.web_port, self.smtp_port, self.sandbox_port))


def free_ports(count: int) -> list[int]:
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [int(server.getsockname()[1]) for server in servers]
    for server in servers:
        server.close()
    return found


def seconds_until(condition: Callable[[], object], limit_s: float) -> float:
    """Wait for ``condition`` and return how long that took; fail past ``limit_s`` seconds."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < limit_s, f"it did not happen within {limit_s} seconds"
        time.sleep(0.1)
    return time.monotonic() - started


def are_gone(family: list[psutil.Process]) -> bool:
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in family)
