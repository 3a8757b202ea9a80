"""Those who send letters in the API benchmark: wrk as fast as it is answered, and one of ours at a constant rate."""

import asyncio
import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Final

from tests.benchmarks.api_servers import Server, database_cpu_s
from tests.benchmarks.ground import find_program

SENDERS: Final = 64
"""Connections of the constant rate: more than are ever busy while the server keeps up."""

SCRIPT: Final = """
local number, start = 0, string.format("%%d", os.time())
local headers = {["Content-Type"] = "application/json", ["Authorization"] = "Bearer %s"}
request = function()
  number = number + 1
  local name = start .. "-" .. number
  local body = '{"to":"reader-' .. name .. '@people.example","from":"Shop <shop@acme.example>","subject":"Order '
    .. name .. '","html":"<p>Dear reader ' .. name .. ', thank you for <a href=\\\\"https://acme.example/o/' .. name
    .. '\\\\">your order</a>. It leaves us today.</p>","text":"Thank you for your order ' .. name
    .. '.","replyTo":"help@acme.example","headers":{"X-Order":"' .. name .. '"}}'
  return wrk.format("POST", nil, headers, body)
end
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("FIGURES %%d %%d %%f %%f %%d\\n", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Shot:
    """One measurement: requests per second, milliseconds until half and 99 % were answered, processor time of each."""

    rate: float
    p50_ms: float
    p99_ms: float
    app_us: float = 0.0
    database_us: float = 0.0


def write_script(directory: Path, key: str) -> Path:
    """Write wrk's script: every request another letter."""
    script = directory / "letters.lua"
    script.write_text(SCRIPT % key)
    return script


def ask(server: Server, script: Path, connections: int, seconds: int) -> Shot:
    """Return what wrk measured."""
    command = [
        find_program("wrk"),
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--timeout",
        "20s",
        "-s",
        str(script),
        server.url,
    ]
    app_s, database_s = server.cpu_s(), database_cpu_s()
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    app_s, database_s = server.cpu_s() - app_s, database_cpu_s() - database_s
    figures = re.search(r"FIGURES (\d+) (\d+) ([\d.]+) ([\d.]+) (\d+)", printed)
    if figures is None or figures[5] != "0":
        sys.exit(f"{server.name} did not answer well:\n{printed}\n{server.log.read_text()[-2000:]}")
    requests, duration_us, p50_us, p99_us = (float(figure) for figure in figures.groups()[:4])
    requests = requests or 1.0  # a cold server on a busy machine may answer nobody within the first second
    return Shot(
        rate=requests / duration_us * 1e6,
        p50_ms=p50_us / 1000,
        p99_ms=p99_us / 1000,
        app_us=app_s / requests * 1e6,
        database_us=database_s / requests * 1e6,
    )


def ask_at_rate(server: Server, key: str, rate: int, seconds: int) -> Shot:
    """Return how long answers took when requests came at a constant rate, each timed from when it was due."""
    took_s = asyncio.run(_ask_at_rate(server, key, rate, seconds))
    cuts = quantiles(took_s, n=100)
    return Shot(rate=rate, p50_ms=cuts[49] * 1000, p99_ms=cuts[98] * 1000)


async def _ask_at_rate(server: Server, key: str, rate: int, seconds: int) -> list[float]:
    due: asyncio.Queue[float | None] = asyncio.Queue()
    took_s: list[float] = []
    senders = [asyncio.create_task(_send_when_due(server, key, due, took_s)) for _ in range(SENDERS)]
    began = time.perf_counter() + 0.5  # when everybody is connected
    for number in range(rate * seconds):
        at = began + number / rate
        await asyncio.sleep(at - time.perf_counter())
        due.put_nowait(at)
    for _ in senders:
        due.put_nowait(None)
    await asyncio.gather(*senders)
    return took_s[rate:]  # the first second warms up


async def _send_when_due(server: Server, key: str, due: "asyncio.Queue[float | None]", took_s: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    while (at := await due.get()) is not None:
        writer.write(_request(server, key, at))
        head = await reader.readuntil(b"\r\n\r\n")
        body = await _read_body(reader, head.lower())
        if not head.startswith(b"HTTP/1.1 200"):
            sys.exit(f"{server.name} did not answer well: {head!r} {body!r}")
        took_s.append(time.perf_counter() - at)
    writer.close()


async def _read_body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    length = re.search(rb"content-length: (\d+)", head)
    if length is not None:
        return await reader.readexactly(int(length[1]))
    body = b""  # in chunks (RFC 9112, section 7.1)
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return body


def _request(server: Server, key: str, at: float) -> bytes:
    letter = {
        "to": f"reader-{at}@people.example",
        "from": "Shop <shop@acme.example>",
        "subject": f"Order {at}",
        "html": f"<p>Dear reader {at}, thank you for your order. It leaves us today.</p>",
        "text": f"Thank you for your order {at}.",
        "replyTo": "help@acme.example",
        "headers": {"X-Order": f"{at}"},
    }
    body = json.dumps(letter).encode()
    head = (
        f"POST {server.path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
