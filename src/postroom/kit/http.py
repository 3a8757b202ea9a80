"""Requests to addresses that users name, or that a stranger's answer names: only http(s), only public hosts, one
resolution, no redirects, a deadline for the whole exchange and a limit on what is read.
"""

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore2
import httpx2

from postroom.kit.errors import Unavailable
from postroom.kit.hosts import HostRefused, resolve_async

DEADLINE_S: Final = 20.0
MAX_BODY: Final = 1024 * 1024
PORTS: Final = frozenset({80, 443})
_CONNECT_S: Final = 10.0
_IDLE_S: Final = 4.0  # shorter than any server's, so that a request seldom meets a connection that is being closed
_USER_AGENT: Final = "Postroom"


class NotSent(Unavailable):
    """The request never left: the host could not be reached."""

    code = "request_not_sent"


class NoAnswer(Unavailable):
    """The request left, and no whole answer came."""

    code = "request_not_answered"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a client may do: ``internal`` hosts beside the public internet (see ``kit.hosts``), seconds for a whole
    exchange, octets of an answer, and how many connections at once. An answer that ``is_cut`` may be longer: the rest
    of it is left unread.
    """

    internal: tuple[str, ...] = ()
    deadline_s: float = DEADLINE_S
    max_body: int = MAX_BODY
    connections: int = 10
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Question:
    """One request."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def check_url(url: str, internal: Iterable[str] = ()) -> str:
    """Return ``url`` if it may be asked at all: http or https, a host, no user name, and a usual port unless
    ``internal`` names the host. Looks nothing up. Raises HostRefused.
    """
    if any(character.isspace() or not character.isprintable() for character in url) or "\\" in url:
        raise HostRefused("An address has no blanks and no backslashes.")
    try:
        parts = httpx2.URL(url)  # the same reader that the request goes by
    except httpx2.InvalidURL as error:
        raise HostRefused(f"{url!r} is not an address: {error}.") from error
    host, port = parts.host.rstrip(".").lower(), parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    if parts.scheme not in {"http", "https"} or not host:
        raise HostRefused(f"{url!r} does not begin with https:// and a host.")
    if parts.userinfo:
        raise HostRefused("An address must not name a user.")
    if port not in PORTS and not {entry.lower() for entry in internal} & {"*", host, f"{host}:{port}"}:
        raise HostRefused(f"Port {port} is not one of the web.")
    return url


class AsyncClient:
    """Asks from one event loop, over connections that are kept for a moment."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds()
        pool = httpcore2.AsyncConnectionPool(
            ssl_context=_trust(),
            max_connections=self._bounds.connections,
            max_keepalive_connections=self._bounds.connections,
            keepalive_expiry=_IDLE_S,
            network_backend=_Backend(self._bounds.internal),
        )
        transport = httpx2.AsyncHTTPTransport(verify=_trust(), trust_env=False)
        transport._pool = pool
        self._client = httpx2.AsyncClient(
            transport=transport, trust_env=False, follow_redirects=False, timeout=_timeouts(self._bounds)
        )

    async def ask(self, question: Question) -> Reply:
        """Return the answer. Raises HostRefused, NotSent, or NoAnswer for a lost, late or oversized one."""
        check_url(question.url, self._bounds.internal)
        try:
            async with asyncio.timeout(self._bounds.deadline_s):
                return await self._ask(question)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise NotSent(f"{_host(question.url)} cannot be reached: {_say(error)}.") from error
        except (httpx2.HTTPError, TimeoutError) as error:
            raise NoAnswer(f"{_host(question.url)} did not answer: {_say(error)}.") from error

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()

    async def _ask(self, question: Question) -> Reply:
        request = self._client.build_request(
            question.method, question.url, headers=_headers(question), content=question.body
        )
        answer = await self._client.send(request, stream=True)
        try:
            body = bytearray()
            async for piece in answer.aiter_raw():
                body += piece
                if self._bounds.is_cut and len(body) >= self._bounds.max_body:
                    del body[self._bounds.max_body :]
                    break
                _check_size(body, self._bounds, question.url)
        finally:
            await answer.aclose()
        return Reply(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, bytes(body))


def ask(question: Question, bounds: Bounds | None = None) -> Reply:
    """Return the answer to one request over a connection of its own, for threads without an event loop. Raises as
    ``AsyncClient.ask``.
    """

    async def ask_once() -> Reply:
        client = AsyncClient(bounds)
        try:
            return await client.ask(question)
        finally:
            await client.close()

    return asyncio.run(ask_once())


class _Backend(httpcore2.AnyIOBackend):
    """Connects to addresses that were checked, never to a name."""

    def __init__(self, internal: Iterable[str]) -> None:
        self._internal = tuple(internal)

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *rest: Any, **more: Any
    ) -> httpcore2.AsyncNetworkStream:
        last: Exception | None = None
        for address in await resolve_async(host, port, internal=self._internal):
            try:
                return await super().connect_tcp(address, port, timeout, *rest, **more)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                last = error
        raise last or httpcore2.ConnectError("no address")

    async def connect_unix_socket(self, path: str, *rest: Any, **more: Any) -> httpcore2.AsyncNetworkStream:
        raise HostRefused("Sockets of this machine are not asked.")


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def _timeouts(bounds: Bounds) -> httpx2.Timeout:
    return httpx2.Timeout(bounds.deadline_s, connect=min(_CONNECT_S, bounds.deadline_s))


def _headers(question: Question) -> dict[str, str]:
    """Compressed answers are not asked for: a small one may become a large one."""
    return {"User-Agent": _USER_AGENT, "Accept-Encoding": "identity", **question.headers}


def _check_size(body: bytearray, bounds: Bounds, url: str) -> None:
    if len(body) > bounds.max_body:
        raise NoAnswer(f"{_host(url)} answers with more than {bounds.max_body} octets.")


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _say(error: BaseException) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__
