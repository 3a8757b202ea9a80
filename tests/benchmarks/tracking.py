"""How much of a bare ASGI handler's rate the open pixel keeps although every hit is durable before it is answered.

Both run under the same server with one worker and are asked by wrk in turns.
"""

import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from postroom.core.mail.models import StoredHit
from postroom.core.mail.rules.tokens import track_token
from tests.benchmarks.ground import child, find_program
from tests.benchmarks.rounds import Contestant, alternate, say, show
from tests.edge.front_door import free_port

SECONDS = 3
CONNECTIONS = (16, 64, 256)


def run(directory: Path, rounds: int) -> None:
    """Measure the pixel beside the bare handler at several numbers of connections."""
    path = f"/o/{track_token(123_456_789, 1)}.gif"
    with ExitStack() as stack:
        bare = stack.enter_context(_server("tests.benchmarks.bare:application", path, directory))
        pixel = stack.enter_context(_server("postroom.config.asgi:application", path, directory))
        for connections in CONNECTIONS:
            contestants = (
                Contestant("bare handler", _asker(bare, connections), is_yardstick=True),
                Contestant("durable pixel", _asker(pixel, connections)),
            )
            show(f"Open pixel, {connections} connections, requests/s", contestants, alternate(contestants, rounds))
        say(f"  stored: {StoredHit.objects.count():,} hits, every answered one among them")


def _asker(url: str, connections: int) -> Callable[[], float]:
    agent = "User-Agent: Mozilla/5.0 (X11)"
    command = [find_program("wrk"), "-t1", f"-c{connections}", f"-d{SECONDS}s", "-H", agent, url]

    def measure() -> float:
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        rate = re.search(r"Requests/sec:\s+([\d.]+)", printed)
        if rate is None or "Non-2xx" in printed:
            sys.exit(f"{url} did not answer well:\n{printed}")
        return float(rate[1])

    return measure


@contextmanager
def _server(target: str, path: str, directory: Path) -> Iterator[str]:
    """Run one worker of an application until the block ends; yield the address of the pixel there."""
    port = free_port()
    options = ["--interface", "asgi", "--workers", "1", "--port", str(port), "--no-ws", "--log-level", "error"]
    with child([str(Path(sys.executable).with_name("granian")), *options, target], directory / "granian.log"):
        url = f"http://127.0.0.1:{port}{path}"
        _wait(url)
        yield url


def _wait(url: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit(f"{url} never answered.")
