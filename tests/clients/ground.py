"""All of Postroom on free ports, beside a name server that publishes what it is told and a receiver of webhooks."""

import json
import os
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.journeys.running import Running, seconds_until
from tests.stand_ins.dns import Zone, serve_names

HOME: Final = Path(__file__).resolve().parent


class Outside:
    """The world as an installation sees it, and as the clients' tests change it: ``POST /hooks/…`` takes a webhook,
    ``GET /calls`` tells those taken, ``POST /publish`` puts the records of a domain into the zone.
    """

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self.calls: list[dict[str, Any]] = []
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.path == "/publish":
                    outside._publish(**json.loads(body))
                else:
                    call = {"path": self.path, "headers": dict(self.headers), "body": body.decode()}
                    outside.calls.append(call)
                self._answer(b"{}")

            def do_GET(self) -> None:
                self._answer(json.dumps(outside.calls).encode())

            def _answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Take nothing more."""
        self._server.shutdown()
        self._server.server_close()

    def _publish(self, zone: str, records: list[Mapping[str, str]]) -> None:
        """Put records, whose names end before ``zone``, as their owner would."""
        for record in records:
            value = f"{record['priority']} {record['value']}." if record["type"] == "MX" else record["value"]
            name = zone if record["name"] == "@" else f"{record['name']}.{zone}"
            self._zone.put(name, record["type"], value)
            if record["type"] == "MX":
                self._zone.put(record["value"], "A", "127.0.0.1")


class Ground:
    """Everything the clients meet. ``facts`` is what their tests are told: addresses, keys, secrets."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._stack = ExitStack()
        self.facts: dict[str, Any] = {}

    def __enter__(self) -> Self:
        with self._stack:  # a start that fails leaves nothing behind
            self.outside = Outside(self._stack.enter_context(serve_names()))
            self._stack.callback(self.outside.close)
            self.running = Running(
                self._place,
                POSTROOM_DNS_SERVERS=self.outside._zone.address,
                POSTROOM_INTERNAL_HTTP_HOSTS="127.0.0.1",
                DJANGO_SETTINGS_MODULE="postroom.config.settings",
                PYTHONPATH=str(HOME.parents[1]),
            )
            self._stack.callback(self.running.remove)
            self.running.start()
            seconds_until(self.running.is_ready, 240)
            self.facts = self._prepare()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def environment(self) -> dict[str, str]:
        """What a client's tests run in: their facts, and no address or key of anybody else."""
        foreign = ("USESEND_", "UNSEND_", "POSTROOM_", "PYTEST_", "DJANGO_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return {**kept, "POSTROOM_FACTS": json.dumps(self.facts)}

    def _prepare(self) -> dict[str, Any]:
        made = self.running.run_module("tests.clients.prepare", f"{self.outside.url}/hooks/all")
        assert made.returncode == 0, made.stderr
        facts: dict[str, Any] = json.loads(made.stdout.splitlines()[-1])
        origin = f"http://127.0.0.1:{self.running.web_port}"
        places = {"url": f"{origin}/usesend", "origin": origin, "outside": self.outside.url}
        return {**facts, **places, "called": str(self._place / "called")}
