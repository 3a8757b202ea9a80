"""The little of ASGI that our raw handlers need: its types, a request header, and one way to answer."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]


def find_header(scope: Scope, name: bytes) -> str:
    """Return the value of the header ``name`` (lower case), or an empty text."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value).decode("latin-1")
    return ""


class Prepared:
    """A whole answer made once and given often."""

    __slots__ = ("_body", "_empty", "_start")

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        length = (b"content-length", str(len(body)).encode("ascii"))
        self._start = {"type": "http.response.start", "status": status, "headers": [*headers, length]}
        self._body = {"type": "http.response.body", "body": body}
        self._empty = {"type": "http.response.body", "body": b""}

    async def give(self, scope: Scope, send: Send) -> None:
        """Send it; to HEAD without its body (RFC 9110, section 9.3.2)."""
        await send(self._start)
        await send(self._empty if scope["method"] == "HEAD" else self._body)


async def answer(scope: Scope, send: Send, status: int, headers: Headers = (), body: bytes = b"") -> None:
    """Send a whole answer; to HEAD without its body (RFC 9110, section 9.3.2)."""
    await Prepared(status, headers, body).give(scope, send)
