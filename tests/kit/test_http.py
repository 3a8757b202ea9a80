"""S6: addresses that users name lead to the public internet or nowhere."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from postroom.kit import hosts
from postroom.kit.hosts import HostRefused, is_public
from postroom.kit.http import AsyncClient, Bounds, NoAnswer, NotSent, Question, Reply, ask, check_url


class Listener:
    """A server on loopback that counts who comes, on several addresses of the machine."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.seen.append(self.path)
                if self.path == "/redirect":
                    self.send_response(302)
                    self.send_header("Location", "/secret")
                    self.end_headers()
                    return
                self.send_response(200)
                if self.path == "/slow-head":
                    self._drip(b"X-More: and more\r\n")
                    return
                self.end_headers()
                if self.path == "/large":
                    self.wfile.write(b"x" * 3_000_000)
                elif self.path == "/drip":
                    self._drip(b".")
                else:
                    self.wfile.write(b"hello")

            def _drip(self, octets: bytes) -> None:
                with suppress(OSError):
                    self.flush_headers()
                    for _ in range(50):
                        self.wfile.write(octets)
                        self.wfile.flush()
                        stop.wait(0.1)

            def log_message(self, *_: object) -> None:
                pass

        stop = threading.Event()
        self.stop = stop
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.stop.set()
    made.server.shutdown()
    made.server.server_close()


def both(question: Question, bounds: Bounds) -> Iterator[Reply | Exception]:
    """Ask once from an event loop and once blocking; yield each answer or failure."""

    async def from_loop() -> Reply:
        client = AsyncClient(bounds)
        try:
            return await client.ask(question)
        finally:
            await client.close()

    for act in (lambda: asyncio.run(from_loop()), lambda: ask(question, bounds)):
        try:
            yield act()
        except Exception as error:
            yield error


HOSTILE = [
    "http://127.0.0.1{p}/", "http://localhost{p}/", "http://LOCALHOST{p}/", "http://localhost.{p}/", "http://127.1{p}/",
    "http://2130706433{p}/", "http://0x7f000001{p}/", "http://0x7f.1{p}/", "http://017700000001{p}/",
    "http://0177.0.0.1{p}/", "http://127.000.000.001{p}/", "http://0{p}/", "http://0.0.0.0{p}/", "http://[::1]{p}/",
    "http://[::]{p}/", "http://[::ffff:127.0.0.1]{p}/", "http://[::ffff:7f00:1]{p}/", "http://[0:0:0:0:0:ffff:7f00:1]{p}/",
    "http://[64:ff9b::7f00:1]{p}/", "http://[64:ff9b:1::7f00:1]{p}/", "http://[2002:7f00:1::]{p}/",
    "http://[2001:0:7f00:1::]{p}/", "http://[::127.0.0.1]{p}/", "http://[fe80::1]{p}/", "http://[fec0::1]{p}/",
    "http://[fc00::1]{p}/", "http://[fd00:ec2::254]{p}/", "http://[ff02::1]{p}/", "http://[fe80::1%25lo]{p}/",
    "http://10.0.0.1{p}/", "http://172.16.0.1{p}/", "http://172.31.255.255{p}/", "http://192.168.1.1{p}/",
    "http://169.254.169.254{p}/latest/meta-data/", "http://100.64.0.1{p}/", "http://100.127.255.255{p}/",
    "http://192.0.0.1{p}/", "http://192.0.2.1{p}/", "http://198.18.0.1{p}/", "http://198.51.100.1{p}/",
    "http://203.0.113.1{p}/", "http://224.0.0.1{p}/", "http://240.0.0.1{p}/", "http://255.255.255.255{p}/",
    "http://192.88.99.1{p}/", "http://user@127.0.0.1{p}/", "http://user:pw@example.com{p}/", "http://example.com@127.0.0.1{p}/",
    "http://127.0.0.1{p}\\@example.com/", "http://example.com:25/", "http://example.com:22/", "http://example.com:6379/",
    "https://example.com:8443/", "file:///etc/passwd", "gopher://127.0.0.1{p}/", "ftp://127.0.0.1{p}/",
    "dict://127.0.0.1{p}/", "data:text/plain,hi", "javascript:alert(1)", "//127.0.0.1{p}/", "http://{p}/", "http:///etc",
    "http://127.0.0.1 {p}/", "http://127.0.0.1{p}\r\nHost: x/", "http://\u2460\u2461\u2466.0.0.1{p}/", "http://[::1{p}/",
    "http://example.com:99999/", "unix:///var/run/docker.sock",
]  # fmt: skip


def test_sixty_hostile_addresses_are_refused_and_nothing_connects(listener: Listener) -> None:
    assert len(HOSTILE) >= 60
    for pattern in HOSTILE:
        # Once with the listener's own port, once with the usual one: neither the port nor the host gets through.
        for port in (f":{listener.port}", ""):
            url = pattern.replace("{p}", port)
            for outcome in both(Question("GET", url), Bounds(deadline_s=5)):
                assert isinstance(outcome, HostRefused), (url, outcome)
    assert listener.seen == []


def test_the_check_of_addresses_does_not_hide_behind_the_check_of_ports(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postroom.kit.http.PORTS", frozenset({listener.port}))
    for pattern in HOSTILE[:29]:
        url = pattern.replace("{p}", f":{listener.port}")
        for outcome in both(Question("GET", url), Bounds(deadline_s=5)):
            assert isinstance(outcome, HostRefused), (url, outcome)
    assert listener.seen == []


def test_a_name_with_one_bad_answer_among_good_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(host: str, port: int, *_: object) -> list[tuple[object, ...]]:
        return [(2, 1, 6, "", ("93.184.216.34", port)), (2, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(hosts.socket, "getaddrinfo", lookup)
    with pytest.raises(HostRefused):
        asyncio.run(hosts.resolve_async("rebinding.example", 443))


def test_a_name_is_looked_up_once_and_its_address_is_what_we_connect_to(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["127.0.0.1", "10.9.9.9"])
    lookup = socket.getaddrinfo

    def changing(host: str, port: int, *rest: object, **more: object) -> object:
        return lookup(next(answers) if host == "changing.example" else host, port, *rest, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(hosts.socket, "getaddrinfo", changing)
    bounds = Bounds(internal=("changing.example",))
    answer = ask(Question("GET", f"http://changing.example:{listener.port}/"), bounds)
    assert (answer.status, answer.body) == (200, b"hello")


def test_an_operator_may_name_internal_hosts(listener: Listener) -> None:
    for internal in ("127.0.0.1", f"127.0.0.1:{listener.port}", "*"):
        for outcome in both(Question("GET", f"http://127.0.0.1:{listener.port}/"), Bounds(internal=(internal,))):
            assert isinstance(outcome, Reply)
            assert outcome.body == b"hello"
    hosts.check_addresses("10.1.2.3", ["10.1.2.3"], 25, ("10.0.0.0/8",))
    with pytest.raises(HostRefused):
        hosts.check_addresses("10.1.2.3", ["10.1.2.3"], 25, ("10.1.2.3:587", "192.168.0.0/16"))


def test_redirects_are_handed_back_not_followed(listener: Listener) -> None:
    for outcome in both(Question("GET", f"http://127.0.0.1:{listener.port}/redirect"), Bounds(internal=("*",))):
        assert isinstance(outcome, Reply)
        assert outcome.status == 302
    assert "/secret" not in listener.seen


def test_an_answer_that_never_ends_is_cut(listener: Listener) -> None:
    for path in ("/large", "/drip", "/slow-head"):
        bounds, began = Bounds(internal=("*",), deadline_s=1.0), time.monotonic()
        for outcome in both(Question("GET", f"http://127.0.0.1:{listener.port}{path}"), bounds):
            assert isinstance(outcome, NoAnswer), (path, outcome)
        assert time.monotonic() - began < 4, path


def test_a_host_that_is_not_there_was_not_asked() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for outcome in both(Question("GET", f"http://127.0.0.1:{port}/"), Bounds(internal=("*",))):
        assert isinstance(outcome, NotSent)


def test_proxies_of_the_environment_are_not_used(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1/")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1/")
    for outcome in both(Question("GET", f"http://127.0.0.1:{listener.port}/"), Bounds(internal=("*",))):
        assert isinstance(outcome, Reply)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "93.184.216.34"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


def test_plain_addresses_of_the_web_pass_the_first_look() -> None:
    for url in ("https://example.com/hook", "http://example.com:80/", "https://example.com:443/x?y=1"):
        assert check_url(url) == url
