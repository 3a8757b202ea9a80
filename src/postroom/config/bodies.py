"""Request bodies, read whole before a thread is taken: a slow upload keeps nobody else waiting."""

import asyncio
from collections.abc import MutableMapping
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final

from postroom.kit.asgi import Application, Message, Receive, Scope, Send, answer, find_header

LARGEST_BODY: Final = 512 * 1024 * 1024
"""Octets of the largest upload: a file of some millions of contacts."""

_IN_MEMORY: Final = 64 * 1024
_PIECE: Final = 64 * 1024
_SILENCE_S: Final = 30.0
_PLAIN: Final = ((b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close"))


class _TooLarge(Exception):
    """The body has more octets than allowed."""


class BufferedBodies:
    """Gives ``application`` requests whose bodies have arrived.

    Answers 413 to bodies of more than ``limit`` octets and 408 to those that stop arriving.
    """

    def __init__(self, application: Application, limit: int = LARGEST_BODY, silence_s: float = _SILENCE_S) -> None:
        self._application = application
        self._limit = limit
        self._silence_s = silence_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if not _has_body(scope):
            await self._application(scope, receive, send)
            return
        declared = find_header(scope, b"content-length")
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
            try:
                if declared.isdecimal() and int(declared) > self._limit:
                    raise _TooLarge
                is_whole = await self._fill(file, receive)
            except _TooLarge:
                await answer(scope, send, 413, _PLAIN, b"The request is too large.\n")
            except TimeoutError:
                await answer(scope, send, 408, _PLAIN, b"The request stopped arriving.\n")
            else:
                if is_whole:
                    await self._application(_with_length(scope, file.tell()), _replay(file), send)

    async def _fill(self, file: IO[bytes], receive: Receive) -> bool:
        """Answer False when the client has gone."""
        while True:
            async with asyncio.timeout(self._silence_s):
                message = await receive()
            if message["type"] == "http.disconnect":
                return False
            file.write(message.get("body", b""))
            if file.tell() > self._limit:
                raise _TooLarge
            if not message.get("more_body", False):
                return True


def _has_body(scope: Scope) -> bool:
    return find_header(scope, b"content-length") not in {"", "0"} or bool(find_header(scope, b"transfer-encoding"))


def _with_length(scope: Scope, length: int) -> MutableMapping[str, Any]:
    """A body sent in pieces of unknown number has a length now, the only thing WSGI can read it by."""
    framing = {b"content-length", b"transfer-encoding"}
    headers = [(name, value) for name, value in scope["headers"] if name not in framing]
    return {**scope, "headers": [*headers, (b"content-length", str(length).encode("ascii"))]}


def _replay(file: IO[bytes]) -> Receive:
    length = file.tell()
    file.seek(0)

    async def receive() -> Message:
        piece = file.read(_PIECE)
        return {"type": "http.request", "body": piece, "more_body": file.tell() < length}

    return receive
