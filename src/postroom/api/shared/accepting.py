"""Mail that comes in through an API faster than Django could take it: bodies read, and requests stored in groups."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic
from typing import Final, TypeVar
from uuid import UUID

from django.db import DatabaseError, close_old_connections, connections

from postroom.core.mail import services as mail
from postroom.core.mail.errors import NotStored
from postroom.core.mail.types import SubmitRequest
from postroom.kit import clock
from postroom.kit.asgi import Receive
from postroom.kit.errors import Invalid, RateLimited
from postroom.kit.group_commit import GroupCommit

GROUP_SIZE: Final = 500
"""Messages of one commit."""
MOST_WAITING: Final = 2_000
"""Messages of one workspace that wait to be stored in this process: whoever floods it holds up nobody else."""
ALL_WAITING: Final = 10_000
LARGEST_BODY: Final = 40 * 1024 * 1024
"""Octets of a request: 25 MB of attachments in base64, with room for the words."""
LARGE_BODY: Final = 256 * 1024
"""What takes so long to read that others should not wait for it."""
BODIES_IN_MEMORY: Final = 400 * 1024 * 1024
SILENCE_S: Final = 30.0
_CHECKED_EVERY_S: Final = 1.0

T = TypeVar("T")


class TooMuchWaiting(RateLimited):
    """More waits to be stored than this server will hold; try again in a moment."""

    code = "too_much_waiting"


class BodyTooLarge(Invalid):
    """The body of the request is too large."""

    code = "body_too_large"


class BodyStopped(Invalid):
    """The request stopped arriving."""

    code = "body_stopped"


class ClientGone(Exception):
    """There is nobody left to answer."""


class Database:
    """One thread with a connection of its own, for an event loop to ask."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._checked_at = 0.0

    async def do(self, act: Callable[[], T]) -> T:
        """Return what ``act`` returns, done in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._act, act)

    def close(self) -> None:
        """Give the connection back."""
        self._thread.submit(connections.close_all)
        self._thread.shutdown()

    def _act(self, act: Callable[[], T]) -> T:
        now = monotonic()
        if now - self._checked_at > _CHECKED_EVERY_S:  # asking whether the connection works costs a look-up
            close_old_connections()
            self._checked_at = now
        try:
            return act()
        except DatabaseError:
            self._checked_at = 0.0
            raise


@dataclass(slots=True, eq=False)
class _Waiting:
    """A request on its way into the database, and what came of it."""

    request: SubmitRequest
    outcome: list[UUID] | Exception | None = None


class Submitting:
    """Stores requests of one event loop by group commit: each group is one transaction."""

    def __init__(self) -> None:
        self._database = Database("submit")
        self._commits = GroupCommit[_Waiting](self._store, group_size=GROUP_SIZE, capacity=ALL_WAITING, weigh=_count)
        self._waiting: Counter[int] = Counter()
        self._all = 0

    async def submit(self, request: SubmitRequest) -> list[UUID]:
        """Return the uids of the messages once they are durable.

        Raises what ``submit_requests`` refuses it for, TooMuchWaiting, or NotStored.
        """
        waiting, room, count = _Waiting(request), request.workspace_id, len(request.submissions)
        self._count_in(room, count)
        try:
            await self._commits.put(waiting)
        finally:
            self._count_out(room, count)
        if isinstance(waiting.outcome, list):
            return waiting.outcome
        raise waiting.outcome or NotStored()

    def _count_in(self, room: int, count: int) -> None:
        if (self._waiting[room] and self._waiting[room] + count > MOST_WAITING) or self._all + count > ALL_WAITING:
            raise TooMuchWaiting(retry_after_s=1)
        self._waiting[room] += count
        self._all += count

    def _count_out(self, room: int, count: int) -> None:
        self._all -= count
        self._waiting[room] -= count
        if not self._waiting[room]:
            del self._waiting[room]

    async def close(self) -> None:
        """Store what is waiting, then give the connection back."""
        await self._commits.drain()
        self._database.close()

    async def _store(self, group: Sequence[_Waiting]) -> None:
        requests = [one.request for one in group]
        outcomes = await self._database.do(lambda: mail.submit_group(requests=requests, now=clock.now()))
        for waiting, outcome in zip(group, outcomes, strict=True):
            waiting.outcome = outcome


def _count(waiting: _Waiting) -> int:
    return len(waiting.request.submissions)


class Bodies:
    """Reads the bodies of requests into memory, within bounds for each and for all together."""

    def __init__(self) -> None:
        self._octets = 0

    async def read(self, receive: Receive) -> bytes:
        """Return a whole body, which counts until it is given to ``let_go``.

        Raises BodyTooLarge, BodyStopped, TooMuchWaiting or ClientGone.
        """
        pieces: list[bytes] = []
        size = 0
        try:
            is_whole = False
            while not is_whole:
                piece, is_whole = await _receive(receive)
                pieces.append(piece)
                size += len(piece)
                self._octets += len(piece)
                self._check(size)
        except BaseException:
            self._octets -= size
            raise
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def let_go(self, body: bytes) -> None:
        """Count a body no more."""
        self._octets -= len(body)

    def _check(self, size: int) -> None:
        if size > LARGEST_BODY:
            raise BodyTooLarge(f"The body is larger than {LARGEST_BODY} octets")
        if size > LARGE_BODY and self._octets > BODIES_IN_MEMORY:
            raise TooMuchWaiting(retry_after_s=5)


async def _receive(receive: Receive) -> tuple[bytes, bool]:
    try:
        async with asyncio.timeout(SILENCE_S):
            message = await receive()
    except TimeoutError as error:
        raise BodyStopped from error
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message.get("body", b""), not message.get("more_body", False)
