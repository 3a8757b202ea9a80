"""A pool of connections to one SMTP server, all fed from one outbox."""

import asyncio

from postroom.core.mail.ports import Envelope, Outbox
from postroom.providers.smtp.errors import SmtpUnavailable
from postroom.providers.smtp.guarded import GuardedOutbox
from postroom.providers.smtp.pipeline import Pipeline
from postroom.providers.smtp.session import open_session
from postroom.providers.smtp.settings import SmtpSettings


class Lane:
    """One place in the pool: a connection that is opened when there is mail and reopened, within reason, when lost."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._pipeline: Pipeline | None = None

    @property
    def is_open(self) -> bool:
        """Whether a connection stands ready."""
        return self._pipeline is not None and self._pipeline.is_open

    async def open(self) -> Pipeline:
        """Return a connection that may be trusted to be alive, made now if need be. Raises SmtpUnavailable."""
        if self._pipeline is not None and self._pipeline.idle_s > self._settings.max_idle_s:
            await self.close()
        if self._pipeline is None or not self._pipeline.is_open:
            self._pipeline = None
            self._pipeline = Pipeline(await open_session(self._settings), self._settings.timeouts)
        return self._pipeline

    async def work(self, guarded: GuardedOutbox, first: Envelope) -> SmtpUnavailable | None:
        """Hand over until the outbox is empty. Returns the error that made this lane give up earlier, if any.

        A connection that brought at least one final answer before it broke is simply replaced; ``max_losses`` barren
        ones in a row are taken to mean that the server will not serve us now.
        """
        losses = 0
        envelope: Envelope | None = first
        while envelope is not None:
            loss, is_barren = await self._carry(guarded, envelope)
            if loss is not None:
                losses = losses + 1 if is_barren else 0
                if loss.permanent or losses >= self._settings.max_losses:
                    return loss
                if losses:
                    await asyncio.sleep(self._settings.retry_delay_s * 2 ** (losses - 1))
            envelope = guarded.take()
        return None

    async def close(self) -> None:
        """Say QUIT and close."""
        if self._pipeline is not None:
            await self._pipeline.close()
            self._pipeline = None

    async def _carry(self, guarded: GuardedOutbox, envelope: Envelope) -> tuple[SmtpUnavailable | None, bool]:
        """Hand over ``envelope`` and what follows. Returns the loss of the connection and whether it was barren."""
        try:
            pipeline = await self.open()
        except SmtpUnavailable as error:
            guarded.give_back(envelope)
            return error, True
        except BaseException:
            guarded.give_back(envelope)
            raise
        answered = pipeline.answered
        reason = await pipeline.carry(guarded, envelope)
        loss = SmtpUnavailable(f"{self._settings.address}: {reason}.") if reason else None
        return loss, pipeline.answered == answered


class SmtpTransport:
    """A transport (see ``core.mail.ports``) to one SMTP server. Used from one event loop; one ``run`` at a time."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._lanes = [Lane(settings) for _ in range(max(1, settings.max_connections))]

    async def run(self, outbox: Outbox) -> None:
        """Hand over everything ``outbox`` gives until it answers None; connections stay open.

        Raises SmtpUnavailable when the server does not take our mail, and whatever a method of ``outbox`` raised, each
        after all envelopes taken have been recorded or given back. Cancelling drops the connections: a message whose
        content was leaving is in doubt then.
        """
        guarded = GuardedOutbox(outbox)
        while await self._run_round(guarded):
            pass
        if guarded.failure is not None:
            raise guarded.failure

    async def close(self) -> None:
        """Say QUIT on every connection and close it."""
        await asyncio.gather(*(lane.close() for lane in self._lanes))

    async def _run_round(self, guarded: GuardedOutbox) -> bool:
        """Let all lanes work until they find nothing more or give up. Returns whether another round could do more.

        The first lane connects alone: a wrong password is tried once, not once per connection.
        """
        first = guarded.take()
        if first is None:
            return False
        answered = guarded.answered
        self._lanes.sort(key=lambda lane: not lane.is_open)
        try:
            await self._lanes[0].open()
        except BaseException:
            guarded.give_back(first)
            raise
        errors = await self._work_all(guarded, first)
        if errors and guarded.answered == answered and guarded.failure is None:
            raise max(errors, key=lambda error: error.permanent)
        return bool(errors)

    async def _work_all(self, guarded: GuardedOutbox, first: Envelope) -> list[SmtpUnavailable]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._lanes[0].work(guarded, first))]
            for lane in self._lanes[1:]:
                envelope = guarded.take()
                if envelope is None:
                    break
                tasks.append(group.create_task(lane.work(guarded, envelope)))
        return [error for task in tasks if (error := task.result()) is not None]
