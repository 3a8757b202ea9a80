"""The real front door in a process of its own, on the test's database, and a way to take that database away."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from types import TracebackType
from typing import Self

import httpx2
from django.db import connection

from tests.processes import child_environment

SERVE = "import django; django.setup(); from postroom.config.web_server import serve; serve()"


@dataclass(frozen=True)
class FrontDoor:
    """A running front door: its address and its process."""

    url: str
    process: "subprocess.Popen[bytes]"


@contextmanager
def front_door(**environment: str) -> Iterator[FrontDoor]:
    """Run the web process until the block ends; ``environment`` overrides its settings."""
    port = free_port()
    settings = {"POSTROOM_WEB_HOST": "127.0.0.1", "POSTROOM_WEB_PORT": str(port), "POSTROOM_WEB_WORKERS": "1"}
    with TemporaryDirectory(prefix="pr", ignore_cleanup_errors=True) as own:  # its disk is of this database
        settings["POSTROOM_DATA_DIR"] = own
        given = {**child_environment(), **settings, **environment}
        process = subprocess.Popen([sys.executable, "-c", SERVE], env=given)
        door = FrontDoor(f"http://127.0.0.1:{port}", process)
        try:
            _wait_alive(door)
            yield door
        finally:
            process.terminate()
            process.wait(20)


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_alive(door: FrontDoor) -> None:
    for _ in range(300):
        try:
            if httpx2.get(f"{door.url}/health").status_code == 200:
                return
        except httpx2.TransportError:
            assert door.process.poll() is None, "the web process ended"
        time.sleep(0.1)
    raise AssertionError("the web process never answered")


class DatabaseSwitch:
    """Stands between a process and PostgreSQL; ``off`` cuts every connection and lets no new one in."""

    def __init__(self) -> None:
        self.directory = Path(mkdtemp(prefix="pr"))
        where = connection.settings_dict
        self._server = f"{where['HOST']}/.s.PGSQL.{where['PORT'] or 5432}"
        self._path = self.directory / ".s.PGSQL.5432"
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener: socket.socket | None = None
        self._flowing = threading.Event()
        self._flowing.set()

    def __enter__(self) -> Self:
        self.on()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.off()
        shutil.rmtree(self.directory)

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings of a process that reaches the test's database through here."""
        where = connection.settings_dict
        return {"DATABASE_URL": f"postgresql://{where['USER']}@/{where['NAME']}?host={self.directory}&port=5432"}

    def on(self) -> None:
        """Let connections in."""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        os.chmod(self._path, 0o777)
        self._listener.listen()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def off(self) -> None:
        """Cut every connection, as a server that goes away does."""
        if self._listener is None:
            return
        self._path.unlink()
        self._listener.close()
        self._listener = None
        for ends in self._pairs:
            for end in ends:
                _hang_up(end)
        self._pairs.clear()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Let nothing through and cut nothing, as a server that hangs does, until the block ends."""
        self._flowing.clear()
        try:
            yield
        finally:
            self._flowing.set()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            self._pairs.append((client, server))
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=_pump, args=(source, target, self._flowing), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket, flowing: threading.Event) -> None:
    try:
        while octets := source.recv(65536):
            flowing.wait()
            target.sendall(octets)
    except OSError:
        pass
    finally:
        _hang_up(target)


def _hang_up(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
