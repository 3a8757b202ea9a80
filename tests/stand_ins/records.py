"""A provider that keeps records of its own: events of Mailgun page by page, bounces and messages of Postmark."""

import json
import threading
from base64 import b64decode
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Records:
    """What a provider would show, by time; ``asked`` counts the requests, ``is_away`` has all of them fail."""

    events: list[dict[str, Any]] = field(default_factory=list)
    bounces: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    is_away: bool = False
    next_host: str = ""

    def __post_init__(self) -> None:
        records = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                records.asked.append(self.path)
                status, said = records.answer(self.path, self.headers)
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=lambda: self.server.serve_forever(0.05), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path: str, headers: Any) -> tuple[int, Any]:
        """Return status and body of a request."""
        if self.is_away:
            return 503, {"message": "Not now."}
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/v3/mg.example.com/events":
            if b64decode(headers["Authorization"].split()[1]) != b"api:k":
                return 401, {"message": "Forbidden"}
            return 200, self._page(query)
        start = int(query.get("offset", 0))
        known = {"/bounces": ("Bounces", self.bounces), "/messages/outbound": ("Messages", self.messages)}
        name, rows = known[parts.path]
        return 200, {"TotalCount": len(rows), name: rows[start : start + int(query["count"])]}

    def _page(self, query: dict[str, str]) -> Any:
        """Mailgun: a page of at most ``limit`` events from ``begin`` to ``end``, and the address of the next one."""
        begin, end, start = float(query["begin"]), float(query["end"]), int(query.get("p", 0))
        found = [event for event in self.events if begin <= event["timestamp"] <= end]
        limit = int(query["limit"])
        rest = f"v3/mg.example.com/events?begin={begin}&end={end}&limit={limit}&p={start + limit}"
        return {"items": found[start : start + limit], "paging": {"next": f"{self.next_host or self.url}{rest}"}}
