"""A fresh installation in ``var/demo``, started with the product's own command and asked over its own front door."""

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from demo.show import console

ROOT: Final = Path(__file__).resolve().parent.parent
DATA_DIR: Final = ROOT / "var" / "demo"
LOG: Final = ROOT / "var" / "demo.log"
LOCK: Final = ROOT / "var" / "demo.lock"
START_TIMEOUT_S: Final = 120
WEB_PORT: Final = 8000
EMAIL: Final = "owner@harbour.example"


class Installation:
    """Starts ``postroom up`` on free ports with an empty data directory, and stops it at the end of the block."""

    def __init__(self) -> None:
        self.http_port, self.smtp_port, self.sandbox_port, *self.submission_ports = free_ports()
        self.password = secrets.token_urlsafe(9)
        self._process: subprocess.Popen[bytes] | None = None
        LOG.parent.mkdir(parents=True, exist_ok=True)
        self._lock = LOCK.open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._lock.close()

    @property
    def url(self) -> str:
        """The address people type in."""
        return f"http://localhost:{self.http_port}"

    def start(self) -> None:
        """Empty the data directory, start every part, wait until all is ready. Exits with a sentence when it fails."""
        self._claim_directory()
        self._settle_environment()
        shutil.rmtree(DATA_DIR, ignore_errors=True)
        with LOG.open("wb") as log, console.status("Starting PostgreSQL, web, worker, sender and SMTP …"):
            command = [sys.executable, "-m", "postroom.config", "up"]
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            self._wait_until_ready()
        console.print(f"[green]✓[/] Everything is up at {self.url}")

    def wait(self) -> None:
        """Stay until the processes end or Ctrl-C is pressed."""
        try:
            if self._process is not None:
                self._process.wait()
        except KeyboardInterrupt:
            console.print("Stopping …")

    def stop(self) -> None:
        """Stop every part in order."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def show_address(self) -> None:
        """Say where the application is and how to sign in."""
        console.print(f"\nOpen [bold]{self.url}[/]  e-mail [bold]{EMAIL}[/]  password [bold]{self.password}[/]\n")

    def _claim_directory(self) -> None:
        """Make sure that no other demonstration runs on the data that are about to be thrown away."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("Another demonstration is running from this directory; end it first (Ctrl-C in its terminal).")

    def _settle_environment(self) -> None:
        """Tell the settings of this process and of its children which installation is meant."""
        for name in [name for name in os.environ if name.startswith("POSTROOM_")] + ["DATABASE_URL"]:
            os.environ.pop(name, None)
        os.environ.update(
            POSTROOM_DATA_DIR=str(DATA_DIR),
            POSTROOM_PUBLIC_URL=self.url,
            POSTROOM_WEB_PORT=str(self.http_port),
            POSTROOM_SMTP_PORT=str(self.smtp_port),
            POSTROOM_SANDBOX_PORT=str(self.sandbox_port),
            POSTROOM_SUBMISSION_PORT=str(self.submission_ports[0]),
            POSTROOM_SUBMISSIONS_PORT=str(self.submission_ports[1]),
            DJANGO_SETTINGS_MODULE="postroom.config.settings",
        )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                break
            if self._is_ready():
                return
            time.sleep(0.2)
        tail = "\n".join(LOG.read_text(errors="replace").splitlines()[-30:])
        sys.exit(f"The installation did not become ready. Its last words:\n{tail}")

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def free_ports() -> list[int]:
    """Return a port for the web, preferably 8000, and four more for SMTP."""
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in range(5)]
        web = taken[0]
        web.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            web.bind(("127.0.0.1", WEB_PORT))
        except OSError:
            web.bind(("127.0.0.1", 0))
        for smtp in taken[1:]:
            smtp.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in taken]
