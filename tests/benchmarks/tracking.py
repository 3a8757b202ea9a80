"""Opens and clicks, each durable before it is answered, beside a bare ASGI handler that stores nothing, and beside a
Django view that stores an open as a row.

All run under the same server with as many workers as there are cores, and are asked by wrk in turns, each request for
another message.
"""

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from postroom.core.mail.models import StoredHit
from postroom.core.mail.rules.tokens import click_path, track_token
from tests.benchmarks.ground import child, find_program
from tests.benchmarks.rounds import Contestant, alternate, say, show
from tests.edge.front_door import free_port
from tests.factories import make_workspace
from tests.ledger import make_content

SECONDS: Final = 3
CONNECTIONS: Final = (16, 64, 256)
MESSAGES: Final = 20_000
WORKERS: Final = os.cpu_count() or 1

# Least ratios to the bare handler, and to the Django view, by connections.
BARE: Final = {64: 0.5, 256: 0.5}
DJANGO: Final = {64: 5.0, 256: 8.0}


def run(directory: Path, rounds: int) -> None:
    """Measure at several numbers of connections."""
    content = make_content(workspace=make_workspace(), urls=("https://example.com/one", "https://example.com/two"))
    opens = [f"/o/{track_token(number, content.pk)}.gif" for number in range(1, MESSAGES)]
    clicks = [f"/c/{click_path(number, content.pk, number % 2)}" for number in range(1, MESSAGES)]
    opening, clicking = _script(directory, "opens", opens), _script(directory, "clicks", clicks)
    with ExitStack() as stack:
        bare = stack.enter_context(_server("tests.benchmarks.bare:application", "asgi", opens[0], directory))
        view = stack.enter_context(_server("tests.benchmarks.django_view:application", "wsgi", opens[0], directory))
        door = stack.enter_context(_server("postroom.config.asgi:application", "asgi", opens[0], directory))
        for connections in CONNECTIONS:
            contestants = (
                Contestant("bare handler", _asker(bare, opening, connections), is_yardstick=True),
                Contestant("Django view", _asker(view, opening, connections), is_yardstick=True),
                Contestant("durable open", _asker(door, opening, connections), target=BARE.get(connections, 0.0)),
                Contestant("durable click", _asker(door, clicking, connections)),
            )
            title = f"Tracking, {connections} connections, {WORKERS} workers, requests/s"
            show(title, contestants, alternate(contestants, rounds))
            if connections in DJANGO:
                say(f"  (target of the open as a ratio to the Django view: {DJANGO[connections]:.0f})")
    say(f"  stored: {StoredHit.objects.count():,} hits, every answered one among them")


def _script(directory: Path, name: str, paths: list[str]) -> Path:
    """Write a script for wrk that asks for ``paths`` in turns."""
    script = directory / f"{name}.lua"
    lines = "\n".join(f'"{path}",' for path in paths)
    script.write_text(
        f"local paths = {{\n{lines}\n}}\nlocal number = 0\n"
        'local headers = {["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}\n'
        "request = function()\n  number = number % #paths + 1\n"
        '  return wrk.format("GET", paths[number], headers)\nend\n'
    )
    return script


def _asker(url: str, script: Path, connections: int) -> Callable[[], float]:
    command = [find_program("wrk"), "-t1", f"-c{connections}", f"-d{SECONDS}s", "-s", str(script), url]

    def measure() -> float:
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        rate = re.search(r"Requests/sec:\s+([\d.]+)", printed)
        if rate is None or "Non-2xx" in printed:
            sys.exit(f"{url} did not answer well:\n{printed}")
        return float(rate[1])

    return measure


@contextmanager
def _server(target: str, interface: str, path: str, directory: Path) -> Iterator[str]:
    """Run an application until the block ends; yield its address."""
    port = free_port()
    options = ["--interface", interface, "--workers", str(WORKERS), "--port", str(port), "--no-ws"]
    if interface == "wsgi":
        options += ["--blocking-threads", "8"]
    command = [str(Path(sys.executable).with_name("granian")), *options, "--log-level", "error", target]
    with child(command, directory / "granian.log"):
        url = f"http://127.0.0.1:{port}"
        _wait(url + path)
        yield url


def _wait(url: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit(f"{url} never answered.")
