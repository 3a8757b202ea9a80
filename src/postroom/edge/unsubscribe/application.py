"""The way to the unsubscribe page: an opt-out that it cannot take now is kept on the disk, and obeyed later."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Final

import structlog
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.handlers.asgi import ASGIRequest
from django.db import DataError, IntegrityError, close_old_connections, connections
from django.http.multipartparser import MultiPartParserError

from postroom.edge.disk import OPT_OUTS, Disk
from postroom.edge.unsubscribe.opt_out import OptOut, read_opt_out
from postroom.kit import clock
from postroom.kit.asgi import Application, Message, Prepared, Receive, Scope, Send
from postroom.kit.errors import Invalid, NotFound

_PREFIX: Final = "/u/"
_LARGEST: Final = 64 * 1024  # octets; what mail programs send has 26, in an envelope of a few hundred more
_PATIENCE_S: Final = 4.0  # mail programs do not wait much longer than that
_PLAIN: Final = ((b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"))
_NOTED: Final = Prepared(200, _PLAIN, b"You are unsubscribed. It is noted and will hold everywhere in a few minutes.\n")
_LATER: Final = Prepared(503, (*_PLAIN, (b"retry-after", b"60")), b"Nothing was changed. Try again in a minute.\n")

log = structlog.get_logger(__name__)


class OptOuts:
    """Hands everything below ``/u/`` to ``django``; opt-outs it fails at, or that come while the database ``is_away``,
    are answered once they are on the disk.
    """

    def __init__(self, django: Application, directory: Path, is_away: Callable[[], bool]) -> None:
        self._django = django
        self._is_away = is_away
        self._disk = Disk(directory, OPT_OUTS)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="opt-outs-database")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["method"] != "POST":
            await self._django(scope, receive, send)
            return
        pieces = await _read(receive)
        again = _Again(pieces, receive)
        opt_out = _decide(scope, pieces)
        if opt_out is None:
            await self._django(scope, again.receive, send)
        elif self._is_away() or not await self._try(scope, again, send):
            await self._keep(opt_out, scope, send)

    async def look(self) -> None:
        """Obey what waits on the disk. Raises django.db.DatabaseError."""
        await self._disk.replay(self._obey)

    async def close(self) -> None:
        """Give disk and database back."""
        await self._disk.close()
        self._thread.submit(connections.close_all)
        self._thread.shutdown()

    async def _try(self, scope: Scope, again: "_Again", send: Send) -> bool:
        """Let Django answer; return False when it failed or took too long, and nothing was sent."""
        answer = _Answer(send)
        asking = asyncio.ensure_future(self._django(scope, again.receive, answer.send))
        await asyncio.wait({asking}, timeout=_PATIENCE_S)
        if not asking.done():
            asking.add_done_callback(_forget)
            if not answer.is_given:
                answer.is_void = True
                return False
        await asking
        return not answer.is_void

    async def _keep(self, opt_out: OptOut, scope: Scope, send: Send) -> None:
        try:
            await self._disk.keep([opt_out.to_record()])
        except Exception as error:
            log.error("edge.opt_out_not_kept", error=type(error).__name__)
            await _LATER.give(scope, send)
            return
        log.warning("edge.opt_out_kept", message_id=opt_out.message_id)
        await _NOTED.give(scope, send)

    async def _obey(self, records: Sequence[bytes]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, _obey, records)


class _Answer:
    """Lets an answer through, unless it says that the server failed: then it is void."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.is_given = False
        self.is_void = False

    async def send(self, message: Message) -> None:
        """Take a message of the answer."""
        if not self.is_given and message["type"] == "http.response.start" and message["status"] >= 500:
            self.is_void = True
        if not self.is_void:
            self.is_given = True
            await self._send(message)


class _Again:
    """Gives the pieces of a body that were read before, then whatever comes."""

    def __init__(self, pieces: Sequence[Message], receive: Receive) -> None:
        self._pieces = list(reversed(pieces))
        self._receive = receive

    async def receive(self) -> Message:
        """Return the next message of the request."""
        return self._pieces.pop() if self._pieces else await self._receive()


async def _read(receive: Receive) -> list[Message]:
    """Read a small body whole, and of a large or slow one as much as tells that it is no opt-out."""
    pieces: list[Message] = []
    size, goes_on = 0, True
    with suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE_S):
            while goes_on and size <= _LARGEST:
                pieces.append(await receive())
                size += len(pieces[-1].get("body", b""))
                goes_on = pieces[-1].get("more_body", False)
    return pieces


def _decide(scope: Scope, pieces: Sequence[Message]) -> OptOut | None:
    body = b"".join(piece.get("body", b"") for piece in pieces)
    if not pieces or pieces[-1].get("more_body", False):
        return None
    # The same reader of forms as behind the page, so that both understand the same.
    request = ASGIRequest(scope, BytesIO(body))
    with suppress(BadRequest, SuspiciousOperation, MultiPartParserError):
        return read_opt_out(request, scope["path"][len(_PREFIX) :], clock.now())
    return None


def _obey(records: Sequence[bytes]) -> None:
    for record in records:
        close_old_connections()
        try:
            OptOut.from_record(record).obey()
        except (NotFound, Invalid, ValueError, DataError, IntegrityError) as error:
            # Were it kept, all that came after it would never be obeyed.
            log.warning("edge.opt_out_of_nobody", error=type(error).__name__)


def _forget(asking: "asyncio.Future[None]") -> None:
    if not asking.cancelled():
        asking.exception()  # nobody waits for it any more
