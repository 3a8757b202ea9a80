"""Opens and clicks at a steady rate for minutes while the database crashes, stays away, comes back and catches up, and
a web worker is killed: how long each answer takes, counted from when it was due, and whether anything is lost.
"""

import asyncio
import os
import random
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil
from django.db import connection

from postroom.config import postgres
from postroom.core.mail.models import StoredHit
from postroom.core.mail.rules.tokens import click_path, track_token
from postroom.core.mail.types import EventType
from tests.benchmarks.ground import child
from tests.benchmarks.rounds import say
from tests.edge.front_door import SERVE, free_port
from tests.factories import make_workspace
from tests.ledger import make_content

RATE: Final = 500
MINUTES: Final = 5.0
CONNECTIONS: Final = 64
CLICKS: Final = 0.2
URLS: Final = tuple(f"https://example.com/page/{number}" for number in range(8))

# Shares of the whole time at which things happen.
CRASH, RETURN, KILL = 0.4, 0.6, 0.8


@dataclass
class Seen:
    """What the client got: seconds by phase, and which messages were answered, and how."""

    waits: dict[str, list[float]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    acknowledged: dict[int, int] = field(default_factory=dict)
    asked_again: set[int] = field(default_factory=set)
    wrong_targets: int = 0
    phase: str = "before"


def run(directory: Path, rounds: int) -> None:
    """Run once, for five minutes or as many as SOAK_MINUTES says."""
    minutes = float(os.environ.get("SOAK_MINUTES", MINUTES))
    content = make_content(workspace=make_workspace(), urls=URLS)
    port = free_port()
    os.environ.update(POSTROOM_WEB_PORT=str(port), POSTROOM_WEB_WORKERS=str(os.cpu_count() or 1))
    with child([sys.executable, "-c", SERVE], directory / "web.log") as server:
        seen = asyncio.run(_soak(directory, server.pid, port, content.pk, minutes * 60))
        asyncio.run(_until(lambda: not _waiting(directory), 120))
    connection.close()  # the server it led to is gone
    _report(seen, minutes)


async def _soak(directory: Path, server: int, port: int, content_id: int, seconds: float) -> Seen:
    seen = Seen()
    await _until(lambda: _answers(port), 60)
    await asyncio.sleep(6)  # the links are on their shelf
    free: asyncio.Queue[_Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(_Connection(port))
    loop, dice = asyncio.get_running_loop(), random.Random(5)
    began = loop.time()
    events = asyncio.create_task(_happen(directory, server, seen, seconds))
    asking = set()
    for number in range(1, int(RATE * seconds) + 1):
        due = began + number / RATE
        if (early := due - loop.time()) > 0:
            await asyncio.sleep(early)
        link = dice.randrange(len(URLS)) if dice.random() < CLICKS else None
        task = asyncio.create_task(_ask(free, seen, number, content_id, link, due))
        asking.add(task)
        task.add_done_callback(asking.discard)
    await asyncio.gather(*asking)
    await events
    return seen


async def _happen(directory: Path, server: int, seen: Seen, seconds: float) -> None:
    await asyncio.sleep(CRASH * seconds)
    postmaster = int(next((directory / "postgres").resolve().rglob("postmaster.pid")).read_text().split()[0])
    seen.phase = "database away"
    os.kill(postmaster, signal.SIGQUIT)  # it ends at once, as in a crash
    await asyncio.sleep((RETURN - CRASH) * seconds)
    await asyncio.to_thread(postgres.start, directory)
    seen.phase = "database back"
    await asyncio.sleep((KILL - RETURN) * seconds)
    seen.phase = "a worker killed"
    workers = [one for one in psutil.Process(server).children(recursive=True) if one.num_threads() > 2]
    os.kill(workers[0].pid, signal.SIGKILL)


async def _ask(
    free: "asyncio.Queue[_Connection]", seen: Seen, number: int, content_id: int, link: int | None, due: float
) -> None:
    """Ask for one message until it is answered; a connection that broke is made again, as any client does."""
    path = f"/o/{track_token(number, content_id)}.gif" if link is None else f"/c/{click_path(number, content_id, link)}"
    connection = await free.get()
    try:
        for _ in range(50):
            try:
                status, location = await connection.get(path)
                break
            except (OSError, asyncio.IncompleteReadError):
                seen.asked_again.add(number)
                await asyncio.sleep(0.02)
        else:
            seen.statuses[0] += 1
            return
    finally:
        free.put_nowait(connection)
    seen.waits.setdefault(seen.phase, []).append(asyncio.get_running_loop().time() - due)
    seen.statuses[status] += 1
    if status in {200, 302}:
        seen.acknowledged[number] = -1 if link is None else link
    if link is not None and status == 302 and location != URLS[link]:
        seen.wrong_targets += 1


class _Connection:
    """A persistent connection, with just enough HTTP to ask and to understand."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> tuple[int, str]:
        """Return the status and the Location of an answer. Raises OSError and IncompleteReadError."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Soak\r\n\r\n".encode("ascii"))
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
            }
            await reader.readexactly(int(headers.get("content-length", "0")))
        except (OSError, asyncio.IncompleteReadError):
            writer.close()
            self._streams = None
            raise
        return int(head.split(" ", 2)[1]), headers.get("location", "")


def _report(seen: Seen, minutes: float) -> None:
    stored: dict[int, set[str]] = {}
    rows = StoredHit.objects.values_list("message_id", "key", "type", "link_index").iterator(10_000)
    wrong = 0
    for number, key, kind, link in rows:
        stored.setdefault(number, set()).add(key)
        wrong += seen.acknowledged.get(number) != (-1 if kind == EventType.OPENED else link)
    lost = seen.acknowledged.keys() - stored.keys()
    twice = [number for number, keys in stored.items() if len(keys) > 1 and number not in seen.asked_again]
    say(f"\nTracking at {RATE}/s for {minutes:g} minutes: answers, counted from when they were due")
    everything = [wait for waits in seen.waits.values() for wait in waits]
    for phase, waits in (*seen.waits.items(), ("all", everything)):
        ordered = sorted(waits)
        middle, late, last = (ordered[int(share * (len(ordered) - 1))] * 1000 for share in (0.5, 0.99, 1))
        say(f"  {phase:<16} {len(ordered):>8,}   p50 {middle:7.1f} ms   p99 {late:7.1f} ms   most {last:8.1f} ms")
    say(f"  answered: {dict(seen.statuses)}; asked again after a broken connection: {len(seen.asked_again):,}")
    say(
        f"  acknowledged {len(seen.acknowledged):,} · lost {len(lost)} · counted twice {len(twice)} "
        f"· stored as something else {wrong} · links to another place {seen.wrong_targets}"
    )
    say("  (targets: p99 below 50 ms, 0 lost)")


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _waiting(directory: Path) -> bool:
    return any((directory / "edge").rglob("*.records"))


async def _until(condition: Callable[[], bool], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            sys.exit("Waited in vain.")
        await asyncio.sleep(0.2)
