"""A spool for one event loop: its disk is waited for in a thread, and it is read back in pieces."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog
from django.conf import settings

from postroom.kit.spool import Segment, Spool

R = TypeVar("R")

HITS: Final = "hits"
OPT_OUTS: Final = "opt-outs"

_AT_ONCE: Final = 500

log = structlog.get_logger(__name__)


def measure_spools(directory: Path) -> dict[str, float]:
    """Return how many octets wait in each spool of this machine."""
    return {name: Spool(directory / name, capacity=0).size() for name in (HITS, OPT_OUTS)}


class Disk:
    """Where records of one kind wait while what takes them is away."""

    def __init__(self, directory: Path, name: str) -> None:
        self._spool = Spool(directory / name, capacity=settings.SPOOL_SIZE)
        self._name = name
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def keep(self, records: Sequence[bytes]) -> None:
        """Return once ``records`` are on the disk. Raises SpoolFull and OSError."""
        await self._in_thread(self._spool.append, records)

    async def replay(self, take: Callable[[Sequence[bytes]], Awaitable[None]]) -> None:
        """Give ``take`` everything that waits, in order; what it raises ends this, and all of that segment stays.

        Between two pieces this rests as long as the last one took, so that it never has more than half of anything.
        """
        loop = asyncio.get_running_loop()
        await self._in_thread(self._spool.seal)
        segments = self._spool.segments()
        try:
            while (segment := await self._in_thread(next, segments, None)) is not None:
                for start in range(0, len(segment.records), _AT_ONCE):
                    began = loop.time()
                    await take(segment.records[start : start + _AT_ONCE])
                    await asyncio.sleep(loop.time() - began)
                await self._in_thread(self._finish, segment)
        finally:
            await self._in_thread(segments.close)

    async def close(self) -> None:
        """Let go of the disk; what waits there is for whoever looks next."""
        await self._in_thread(self._spool.seal)
        self._thread.shutdown()

    def _finish(self, segment: Segment) -> None:
        segment.remove()
        report = log.warning if segment.broken else log.info
        report("edge.spool_replayed", spool=self._name, records=len(segment.records), broken=segment.broken)

    async def _in_thread(self, act: Callable[..., R], *arguments: Any) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._thread, act, *arguments)
