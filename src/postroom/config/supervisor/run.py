"""The supervisor itself: it brings the parts up stage by stage, and takes all of them down at the end."""

import asyncio
import itertools
import signal
from collections.abc import Sequence
from typing import Final

from postroom.config.supervisor.keeper import Keeper, PartFailed, run_task
from postroom.config.supervisor.parts import Part
from postroom.config.supervisor.terminal import Terminal

OURSELVES: Final = "postroom"
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Runs ``stages`` of parts until a signal says stop, and says ``welcome`` when all of them are ready."""

    def __init__(self, stages: Sequence[Sequence[Part]], terminal: Terminal, welcome: str) -> None:
        self._stages = stages
        self._show = terminal.show
        self._welcome = welcome
        self._running: list[list[tuple[Keeper, asyncio.Task[None]]]] = []
        self._is_stopping = False

    async def run(self) -> int:
        """Run everything; return 0 after a clean stop and 1 when a part could not be brought up."""
        work = asyncio.create_task(self._work())
        for signum in STOP_SIGNALS:
            asyncio.get_running_loop().add_signal_handler(signum, self._hear_signal, work)
        try:
            await work
        except asyncio.CancelledError:
            self._show(OURSELVES, "stopping; once more to stop at once")
            return 0
        except PartFailed as error:
            self._show(OURSELVES, str(error))
            return 1
        finally:
            self._is_stopping = True
            await self._take_down()
            self._show(OURSELVES, "stopped")
        return 0

    async def _work(self) -> None:
        for stage in self._stages:
            await self._bring_up(stage)
        self._show(OURSELVES, self._welcome)
        await self._wait_for_failure()

    async def _bring_up(self, stage: Sequence[Part]) -> None:
        for part in stage:
            if part.is_needed is not None and await asyncio.to_thread(part.is_needed):
                await run_task(part, self._show)
        known = [keeper for keeper, _ in itertools.chain.from_iterable(self._running)]
        keepers = [
            Keeper(part, self._show, [keeper for keeper in known if keeper.name in part.needs])
            for part in stage
            if part.is_needed is None
        ]
        self._running.append([(keeper, asyncio.create_task(keeper.run())) for keeper in keepers])
        for keeper in keepers:
            ready = asyncio.create_task(keeper.ready.wait())
            try:
                await self._wait_for_failure(ready)
            finally:
                ready.cancel()

    async def _wait_for_failure(self, *others: asyncio.Task[bool]) -> None:
        """Wait until one of ``others`` is done or a keeper gives up, whose PartFailed is then raised."""
        tasks = [task for _, task in itertools.chain.from_iterable(self._running)]
        done, _ = await asyncio.wait({*tasks, *others}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def _take_down(self) -> None:
        for stage in reversed(self._running):
            await asyncio.gather(*(keeper.stop() for keeper, _ in stage))
            for _, task in stage:
                task.cancel()
            await asyncio.gather(*(task for _, task in stage), return_exceptions=True)

    def _hear_signal(self, work: asyncio.Task[None]) -> None:
        if self._is_stopping:
            for keeper, _ in itertools.chain.from_iterable(self._running):
                keeper.kill()
        work.cancel()
