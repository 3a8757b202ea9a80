"""``POST /v1/emails``, each letter durable before it is answered, beside a bare ASGI handler that inserts by groups
(the ceiling), a plain Django Ninja view, FastAPI with asyncpg, and Fastify with pg in Node.

All run on one PostgreSQL with as many processes as there are cores, and are asked by wrk in turns, each request with
another letter. Last, each is asked at a constant rate, and timed from when a request was due.
"""

import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from django.db import connection

from postroom.core.mail import services as mail
from postroom.core.mail.models import Message
from postroom.core.mail.types import NewSender, Provider
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.types import SYSTEM, Door, NewKey
from postroom.kit import clock
from tests.benchmarks.api_load import Shot, ask, ask_at_rate, write_script
from tests.benchmarks.api_servers import Server, ceiling, fastapi, fastify, ninja, postroom
from tests.benchmarks.rounds import say
from tests.factories import make_actor, make_user, make_workspace

WORKERS: Final = os.cpu_count() or 1
MAIN: Final = 64
CONNECTIONS: Final = (1, 16, 256)
SECONDS: Final = 3
RATE: Final = 300
RATE_SECONDS: Final = 8

TARGETS: Final = {"ceiling": 0.5, "Django Ninja": 5.0, "FastAPI": 2.0, "Fastify": 1.0}
"""The least ratios of ours to each, at ``MAIN`` connections."""
LONGEST_P50_MS: Final = 15.0


@dataclass(slots=True)
class Runner:
    """A server and what was measured of it, by number of connections."""

    server: Server
    shots: dict[int, list[Shot]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.server.name

    def shoot(self, script: Path, connections: int, seconds: int) -> Shot:
        """Measure once."""
        return ask(self.server, script, connections, seconds)


def run(directory: Path, rounds: int) -> None:
    """Measure everything."""
    key = _make_key()
    _make_tables(key)
    script = write_script(directory, key)
    with ExitStack() as stack:
        servers = [make(directory, key, WORKERS) for make in (postroom, ceiling, ninja, fastapi, fastify)]
        runners = [Runner(stack.enter_context(server)) for server in servers]
        stored = Message.objects.count()
        for runner in runners:
            runner.shoot(script, MAIN, 1)  # unmeasured
        for connections in (MAIN, *CONNECTIONS):
            seconds, times = (SECONDS, rounds) if connections == MAIN else (2, max(1, rounds // 2))
            for _ in range(times):
                for runner in runners:
                    runner.shots.setdefault(connections, []).append(runner.shoot(script, connections, seconds))
        _show(runners, rounds)
        _show_others(runners)
        _show_steady(runners, key)
        say(f"  stored: {Message.objects.count() - stored:,} messages of ours, every answered one among them")


def _show(runners: list[Runner], rounds: int) -> None:
    say(f"\nPOST /v1/emails, {MAIN} connections, {WORKERS} processes each ({rounds} rounds: median, lowest to highest)")
    say(f"  {'':<13}{'requests/s':>24}{'p50 ms':>9}{'p99 ms':>9}{'app us':>9}{'PostgreSQL us':>15}   ours as a ratio")
    ours = runners[0].shots[MAIN]
    for runner in runners:
        shots = runner.shots[MAIN]
        rates = [shot.rate for shot in shots]
        spread = f"{median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"
        line = f"  {runner.name:<13}{spread:>24}" + "".join(
            f"{median(getattr(shot, name) for shot in shots):>{width},.{digits}f}"
            for name, width, digits in (("p50_ms", 9, 1), ("p99_ms", 9, 1), ("app_us", 9, 0), ("database_us", 15, 0))
        )
        target = TARGETS.get(runner.name)
        if target:
            ratio = median(mine.rate / theirs.rate for mine, theirs in zip(ours, shots, strict=True))
            line += f"   {ratio:.2f} (target {target:g}: {'met' if ratio >= target else 'MISSED'})"
        say(line)


def _show_others(runners: list[Runner]) -> None:
    say("\n  requests/s, p50/p99 ms   " + "".join(f"{f'{number} connections':>27}" for number in CONNECTIONS))
    for runner in runners:
        cells = []
        for number in CONNECTIONS:
            shots = runner.shots[number]
            rate, p50, p99 = (median(getattr(shot, name) for shot in shots) for name in ("rate", "p50_ms", "p99_ms"))
            cells.append(f"{rate:,.0f} ({p50:.1f}/{p99:.1f})")
        say(f"  {runner.name:<25}" + "".join(f"{cell:>27}" for cell in cells))


def _show_steady(runners: list[Runner], key: str) -> None:
    say(f"\n  at a constant {RATE} requests/s, from when a request was due:")
    for runner in runners:
        steady = ask_at_rate(runner.server, key, RATE, RATE_SECONDS)
        line = f"  {runner.name:<13} p50 {steady.p50_ms:6.1f} ms, p99 {steady.p99_ms:6.1f} ms"
        if runner is runners[0]:
            is_met = steady.p50_ms < LONGEST_P50_MS
            line += f"   (target: p50 below {LONGEST_P50_MS:g} ms: {'met' if is_met else 'MISSED'})"
        say(line)


def _make_key() -> str:
    """Return the key of a room that sends from one account of its own."""
    workspace = make_workspace()
    user = make_user(workspace=workspace)
    new = NewSender(
        name="Relay",
        provider=Provider.SMTP,
        from_email="shop@acme.example",
        config={"host": "127.0.0.1", "port": 9},
    )
    mail.create_sender(workspace=workspace, new=new, actor=SYSTEM, now=clock.now())
    ordered = NewKey(door=Door.USESEND, name="Benchmark")
    _, secret = workspaces.create_api_key(
        workspace=workspace, user=user, new=ordered, actor=make_actor(user), now=clock.now()
    )
    return secret


def _make_tables(key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute((Path(__file__).parent / "references" / "schema.sql").read_text())
        cursor.execute("INSERT INTO bench_key (digest, workspace_id) VALUES (sha256(%s), 1)", [key.encode()])


if sys.platform != "linux":
    raise SystemExit("The API is measured on Linux: processor times are read from /proc.")
