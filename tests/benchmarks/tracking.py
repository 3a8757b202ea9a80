"""How much of a bare ASGI handler's rate the open pixel keeps although every hit is durable before it is answered.

Both run under the same server with one worker, measured by wrk in turns; the figures are medians. Run with
``python -m tests.benchmarks.tracking``; it starts and stops a PostgreSQL of its own.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROUNDS = 5
SECONDS = 3
CONNECTIONS = (16, 64, 256)


@dataclass(frozen=True)
class Contestant:
    """A server under test."""

    name: str
    url: str


def main() -> None:
    """Measure and print."""
    wrk = shutil.which("wrk")
    if wrk is None:
        sys.exit("wrk is missing: it is in the Debian package of that name.")
    with TemporaryDirectory(prefix="postroom-bench-") as directory, ExitStack() as stack:
        environment = {
            **os.environ,
            "POSTROOM_DATA_DIR": directory,
            "DJANGO_SETTINGS_MODULE": "postroom.config.settings",
        }
        environment.pop("DATABASE_URL", None)
        os.environ.update(environment)
        stack.enter_context(_database(Path(directory)))
        token = _pixel_token()
        bare = stack.enter_context(_server("bare", "tests.benchmarks.bare:application", f"/o/{token}.gif"))
        pixel = stack.enter_context(_server("pixel", "postroom.config.asgi:application", f"/o/{token}.gif"))
        for connections in CONNECTIONS:
            _compare(wrk, bare, pixel, connections)
        print(f"stored: {_count_hits()} hits, every answered one among them")  # noqa: T201


def _compare(wrk: str, bare: Contestant, pixel: Contestant, connections: int) -> None:
    rates: dict[str, list[float]] = {bare.name: [], pixel.name: []}
    for _ in range(ROUNDS):
        for contestant in (bare, pixel):
            rates[contestant.name].append(_measure(wrk, contestant, connections))
    ratios = [ours / theirs for ours, theirs in zip(rates[pixel.name], rates[bare.name], strict=True)]
    print(  # noqa: T201
        f"{connections:>4} connections: durable pixel {statistics.median(rates[pixel.name]):>7,.0f}/s, "
        f"bare handler {statistics.median(rates[bare.name]):>7,.0f}/s, ratio {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f}, {ROUNDS} rounds)",
        flush=True,
    )


def _measure(wrk: str, contestant: Contestant, connections: int) -> float:
    command = [wrk, "-t1", f"-c{connections}", f"-d{SECONDS}s", "-H", "User-Agent: Mozilla/5.0 (X11)", contestant.url]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in printed or (rate := re.search(r"Requests/sec:\s+([\d.]+)", printed)) is None:
        sys.exit(f"{contestant.name} did not answer well:\n{printed}")
    return float(rate[1])


@contextmanager
def _database(directory: Path) -> Iterator[None]:
    import django

    django.setup()
    from django.core.management import call_command

    from postroom.config import postgres

    postgres.start(directory)
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        from django.db import connections

        connections.close_all()
        postgres.stop(directory)


@contextmanager
def _server(name: str, target: str, path: str) -> Iterator[Contestant]:
    from tests.edge.front_door import free_port

    port = free_port()
    options = ["--interface", "asgi", "--workers", "1", "--port", str(port), "--no-ws", "--log-level", "error"]
    process = subprocess.Popen([str(Path(sys.executable).with_name("granian")), *options, target])
    contestant = Contestant(name, f"http://127.0.0.1:{port}{path}")
    try:
        _wait(contestant)
        yield contestant
    finally:
        process.terminate()
        process.wait(20)


def _wait(contestant: Contestant) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(contestant.url, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit(f"{contestant.name} never answered.")


def _pixel_token() -> str:
    from postroom.core.mail.rules import tokens

    return tokens.pixel_token(123_456_789)


def _count_hits() -> int:
    from postroom.core.mail.models import StoredHit

    return StoredHit.objects.count()


if __name__ == "__main__":
    main()
