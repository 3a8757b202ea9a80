"""Somebody's webhook: a server that takes calls and answers as its path says."""

import json
import socket
import struct
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Received:
    """One call as it came in, header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def said(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


class Receiver:
    """Answers ``/status/500`` so, ``/flaky`` with 500 the first time a call comes and 200 after, ``/hang`` never,
    ``/redirect`` with a redirect to ``/secret``, ``/reset`` by hanging up, ``/late/50`` after 50 ms, all else with 200.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.seen: Counter[str] = Counter()
        self.at_once: Counter[str] = Counter()
        self.most_at_once: Counter[str] = Counter()
        self.stop = threading.Event()
        self._lock = threading.Lock()
        self._server = _server(self)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str) -> str:
        """Return the address that is answered so."""
        return f"http://127.0.0.1:{self.port}{path}"

    def on(self, path: str) -> list[Received]:
        """Return the calls that came to a path."""
        return [one for one in list(self.received) if one.path == path]

    def take(self, one: Received) -> int:
        """Note a call; return how often its id has come to this path."""
        with self._lock:
            self.received.append(one)
            key = f"{one.path} {one.headers.get('webhook-id')}"
            self.seen[key] += 1
            return self.seen[key]

    def enter(self, path: str, step: int) -> None:
        """Count who is being answered."""
        with self._lock:
            self.at_once[path] += step
            self.most_at_once[path] = max(self.most_at_once[path], self.at_once[path])


def _server(receiver: Receiver) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            count = receiver.take(Received(self.path, headers, body, time.time()))
            receiver.enter(self.path, 1)
            try:
                self._answer(count)
            finally:
                receiver.enter(self.path, -1)

        do_GET = do_POST

        def _answer(self, count: int) -> None:
            _, word, *rest = self.path.split("/")
            if word == "hang":
                receiver.stop.wait(30)
            elif word == "reset":
                self._reset()
            elif word == "status":
                self._say(int(rest[0]), b"so it is")
            elif word == "flaky":
                self._say(500 if count == 1 else 200, b"flaky")
            elif word == "redirect":
                self._say(302, b"", Location="/secret")
            else:
                if word == "late":
                    receiver.stop.wait(int(rest[0]) / 1000)
                self._say(200, b"x" * 200_000 if word == "long" else b"thank you")

        def _reset(self) -> None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()

        def _say(self, status: int, body: bytes, **headers: str) -> None:
            head = f"HTTP/1.1 {status} So\r\nContent-Length: {len(body)}\r\n"
            head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            self.wfile.write(head.encode() + b"\r\n" + body)

        def handle(self) -> None:
            with suppress(OSError, ValueError):
                super().handle()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 256

    return Server(("127.0.0.1", 0), Handler)
