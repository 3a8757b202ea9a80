"""Keeps one part running: starts it, waits until it serves, starts it again when it falls."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from postroom.config.postgres import PostgresError
from postroom.config.supervisor.parts import Child, Part, Show

GATE_INTERVAL_S: Final = 0.1
FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 5.0
# A part that ran this long was healthy: its next fall is a new story.
HEALTHY_S: Final = 10.0
# How often a part may fall before it has ever been ready.
FIRST_ATTEMPTS: Final = 5


class PartFailed(Exception):
    """A part cannot be brought up."""


class Keeper:
    """Keeps ``part`` running from ``run`` to ``stop``, which starts only while those it ``needs`` are ready."""

    def __init__(self, part: Part, show: Show, needs: Sequence["Keeper"]) -> None:
        self.ready = asyncio.Event()
        self._part = part
        self._show = show
        self._needs = needs
        self._child: Child | None = None
        self._is_stopping = False
        self._was_ready = False

    @property
    def name(self) -> str:
        """Return the part's name."""
        return self._part.name

    async def run(self) -> None:
        """Run the part until ``stop``. Raises PartFailed when it keeps falling without ever having been ready."""
        falls = 0
        while not self._is_stopping:
            for other in self._needs:
                await other.ready.wait()
            started = time.monotonic()
            ending = await self._live_once()
            if self._is_stopping:
                return
            falls = 1 if time.monotonic() - started > HEALTHY_S else falls + 1
            if falls >= FIRST_ATTEMPTS and not self._was_ready:
                raise PartFailed(f"{self._part.name} does not come up; its last lines say why.")
            pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (falls - 1))
            self._show(self._part.name, f"{ending}; starting again in {pause:.1f} s")
            await asyncio.sleep(pause)

    async def stop(self) -> None:
        """End the part, politely first."""
        self._is_stopping = True
        if self._child is not None and self._child.is_alive:
            await self._child.stop()

    def kill(self) -> None:
        """End the part at once."""
        if self._child is not None and self._child.is_alive:
            self._child.kill()

    async def _live_once(self) -> str:
        try:
            self._child = await Child.start(self._part, self._show)
        except (OSError, PostgresError) as error:
            return str(error)
        gate = asyncio.create_task(self._watch_gate(self._child))
        try:
            return await self._child.wait()
        finally:
            await _cancel(gate)
            self._child.close()
            self.ready.clear()

    async def _watch_gate(self, child: Child) -> None:
        is_ready = self._part.is_ready
        if is_ready is None:
            is_up = await child.hear_ready()
        else:
            while not await asyncio.to_thread(is_ready):
                await asyncio.sleep(GATE_INTERVAL_S)
            is_up = child.is_alive
        if is_up:
            self._was_ready = True
            self.ready.set()


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def run_task(part: Part, show: Show) -> None:
    """Run a part that has an end. Raises PartFailed when that end is a bad one."""
    child = await Child.start(part, show)
    try:
        ending = await child.wait()
    except asyncio.CancelledError:
        await child.stop()
        raise
    finally:
        child.close()
    if not child.has_succeeded:
        raise PartFailed(f"{part.name} {ending}; its last lines say why.")
