"""Whether links of a domain's own work, asked of real servers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pytest_django import Settings

from postroom.providers.links import find_link_fault
from tests.edge.front_door import front_door


@contextmanager
def serve(status: int, body: bytes) -> Iterator[str]:
    """Answer everything with ``status`` and ``body`` while the block runs; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Location", "http://elsewhere.example/")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b"alive\n", ""),
        (200, b"Welcome to nginx!", "Something else than Postroom answers there (status 200)."),
        (404, b"alive\n", "Something else than Postroom answers there (status 404)."),
        (301, b"alive\n", "Something else than Postroom answers there (status 301)."),
    ],
)
def test_only_our_own_answer_counts(settings: Settings, status: int, body: bytes, words: str) -> None:
    with serve(status, body) as host:
        settings.INTERNAL_HTTP_HOSTS = (host,)
        assert find_link_fault(f"http://{host}") == words


def test_a_server_without_a_certificate_is_no_server_of_ours(settings: Settings) -> None:
    with serve(200, b"alive\n") as host:
        settings.INTERNAL_HTTP_HOSTS = (host,)
        assert find_link_fault(f"https://{host}") != ""


def test_our_own_network_is_not_asked(settings: Settings) -> None:
    with serve(200, b"alive\n") as host:
        settings.INTERNAL_HTTP_HOSTS = ()
        assert find_link_fault(f"http://{host}") != ""
        assert find_link_fault("http://127.0.0.1") != ""


def test_our_own_front_door_is_known(settings: Settings, transactional_db: None) -> None:
    with front_door() as door:
        settings.INTERNAL_HTTP_HOSTS = (door.url.removeprefix("http://"),)
        assert find_link_fault(door.url) == ""
