"""Many small writes, one commit: whatever arrives while a commit runs makes up the next one.

A lone write waits for nobody. In a crowd the next commit begins when as many are there as the last one had, or when as
long has passed as that took: who was just answered comes again, and a full group costs each of its members less.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from postroom.kit.errors import Unavailable

T = TypeVar("T")

_LONGEST_S: Final = 0.005  # a slow commit is no reason to make anybody wait for a group


class QueueFull(Unavailable):
    """More is waiting to be stored than this process will hold; try again in a moment."""

    code = "queue_full"


class GroupCommit(Generic[T]):
    """Collects items of one event loop and hands them to ``commit`` in groups of at most ``group_size``; an item may
    count as several, as ``weigh`` says.

    ``commit`` must have made a group durable when it returns; when it raises, everybody of that group is told so.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[T]], Awaitable[None]],
        *,
        group_size: int = 1_000,
        capacity: int = 10_000,
        weigh: Callable[[T], int] | None = None,
    ) -> None:
        self._commit = commit
        self._group_size = group_size
        self._capacity = capacity
        self._weigh = weigh
        self._waiting: deque[tuple[T, asyncio.Future[None]]] = deque()
        self._running: asyncio.Task[None] | None = None
        self._full: asyncio.Future[None] | None = None
        self._wanted = 0

    async def put(self, item: T) -> None:
        """Return once ``item`` is durable. Raises QueueFull, or what ``commit`` raised."""
        if len(self._waiting) >= self._capacity:
            raise QueueFull
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        elif self._full is not None and len(self._waiting) >= self._wanted:
            _release(self._full)
        await done

    async def drain(self) -> None:
        """Return once everything taken so far has been committed or refused."""
        if self._running is not None:
            await self._running

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        size, took_s = 0, 0.0
        while self._waiting:
            if len(self._waiting) < size:
                await self._gather(size, took_s)
            group = self._take()
            began = loop.time()
            await self._settle(group)
            size, took_s = len(group), loop.time() - began
        self._running = None

    def _take(self) -> list[tuple[T, asyncio.Future[None]]]:
        """Return the next group: the first that waits, and whatever else there is room for."""
        if self._weigh is None:
            return [self._waiting.popleft() for _ in range(min(self._group_size, len(self._waiting)))]
        group: list[tuple[T, asyncio.Future[None]]] = []
        room = self._group_size
        while self._waiting and (not group or self._weigh(self._waiting[0][0]) <= room):
            group.append(self._waiting.popleft())
            room -= self._weigh(group[-1][0])
        return group

    async def _gather(self, wanted: int, at_most_s: float) -> None:
        """Return when ``wanted`` are waiting, or the time is over."""
        loop = asyncio.get_running_loop()
        self._wanted, self._full = wanted, loop.create_future()
        timer = loop.call_later(min(at_most_s, _LONGEST_S), _release, self._full)
        await self._full
        timer.cancel()
        self._full = None

    async def _settle(self, group: list[tuple[T, asyncio.Future[None]]]) -> None:
        failure: Exception | None = None
        try:
            await self._commit([item for item, _ in group])
        except Exception as error:  # whatever it is, those who wait must hear of it
            failure = error
        for _, done in group:
            if done.done():  # its caller has gone away
                continue
            if failure is None:
                done.set_result(None)
            else:
                done.set_exception(failure)


def _release(full: "asyncio.Future[None]") -> None:
    if not full.done():
        full.set_result(None)
