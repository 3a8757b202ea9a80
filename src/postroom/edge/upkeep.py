"""What the raw handlers do beside answering: every second, bring home what an outage left behind."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import psycopg
import structlog
from django.db import DatabaseError

_EVERY_S: Final = 1.0

log = structlog.get_logger(__name__)


class Upkeep:
    """Takes turns with ``acts`` until it is closed; what is away today may be there tomorrow."""

    def __init__(self, *acts: Callable[[], Awaitable[None]]) -> None:
        self._acts = acts
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._running = asyncio.create_task(self._run())

    async def close(self) -> None:
        """End, wherever it is."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running

    async def _run(self) -> None:
        while True:
            for act in self._acts:
                await _try(act)
            await asyncio.sleep(_EVERY_S)


async def _try(act: Callable[[], Awaitable[None]]) -> None:
    try:
        await act()
    except (psycopg.Error, DatabaseError) as error:
        log.debug("edge.upkeep_waits", error=type(error).__name__)
    except Exception:
        log.exception("edge.upkeep_failed")
