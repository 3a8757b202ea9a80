"""Request bodies, read whole before a thread is taken: a slow upload keeps nobody else waiting."""

import asyncio
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final

from postroom.kit.asgi import Application, Message, Receive, Scope, Send, answer, find_header

LARGEST_BODY: Final = 512 * 1024 * 1024
"""Octets of the largest upload: a file of some millions of contacts."""

DISK: Final = 4 * LARGEST_BODY
"""Octets of unfinished uploads that one process keeps on disk at a time."""

_IN_MEMORY: Final = 64 * 1024
_PIECE: Final = 64 * 1024
_SILENCE_S: Final = 30.0
_PLAIN: Final = ((b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close"))


class _TooLarge(Exception):
    """The body has more octets than allowed."""


class _NoRoom(Exception):
    """Too much is on disk already."""


class BufferedBodies:
    """Gives ``application`` requests whose bodies have arrived.

    Answers 413 to bodies of more than ``limit`` octets, 408 to those that stop arriving, and 503 when ``disk`` octets
    of them all are on disk; bodies of the size of a form stay in memory and never meet that.
    """

    def __init__(
        self, application: Application, limit: int = LARGEST_BODY, disk: int = DISK, silence_s: float = _SILENCE_S
    ) -> None:
        self._application = application
        self._limit = limit
        self._disk = disk
        self._on_disk = 0
        self._silence_s = silence_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if not _has_body(scope):
            await self._application(scope, receive, send)
            return
        declared = find_header(scope, b"content-length")
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as file, self._reserving() as reserve:
            try:
                if declared.isdecimal() and int(declared) > self._limit:
                    raise _TooLarge
                is_whole = await self._fill(file, receive, reserve)
            except _TooLarge:
                await answer(scope, send, 413, _PLAIN, b"The request is too large.\n")
            except _NoRoom:
                await answer(scope, send, 503, (*_PLAIN, (b"retry-after", b"30")), b"Too many uploads at once.\n")
            except TimeoutError:
                await answer(scope, send, 408, _PLAIN, b"The request stopped arriving.\n")
            else:
                if is_whole:
                    await self._application(_with_length(scope, file.tell()), _replay(file), send)

    @contextmanager
    def _reserving(self) -> Iterator[Callable[[int], None]]:
        """Give what reserves octets on disk until the block ends."""
        mine = 0

        def reserve(octets: int) -> None:
            nonlocal mine
            mine += octets
            self._on_disk += octets
            if self._on_disk > self._disk:
                raise _NoRoom

        try:
            yield reserve
        finally:
            self._on_disk -= mine

    async def _fill(self, file: IO[bytes], receive: Receive, reserve: Callable[[int], None]) -> bool:
        """Answer False when the client has gone."""
        while True:
            async with asyncio.timeout(self._silence_s):
                message = await receive()
            if message["type"] == "http.disconnect":
                return False
            piece = message.get("body", b"")
            if file.tell() + len(piece) > self._limit:
                raise _TooLarge
            if file.tell() + len(piece) > _IN_MEMORY:
                reserve(len(piece))
            file.write(piece)
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
