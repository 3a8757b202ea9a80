"""One sender account at work: its claims feed its transport, one by one, what somebody waits for first."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from postroom.core.mail.ports import Envelope, Outcome, Result, Transport
from postroom.core.mail.types import Outgoing, Standing
from postroom.kit.errors import AppError, Unavailable
from postroom.workers.sender.composer import Composer
from postroom.workers.sender.lease import Lease
from postroom.workers.sender.runs import Run

FRESH_S: Final = 300.0
"""How long a busy account goes on with the keys and names that were read when its work began."""

IDLE_S: Final = 20.0
"""How long connections stay open without work; servers hang up on idlers after some minutes."""

log = structlog.get_logger(__name__)

Report = Callable[["Lane", str, bool], None]


class Lane:
    """The outbox (see ``core.mail.ports``) of one sender account, and the task that works it."""

    def __init__(self, composer: Composer, transport: Transport, lease: Lease, hand_in: Callable[[Run], None]) -> None:
        self.sender_id = composer.sender_id
        self.is_closed = False
        self.renew(composer)
        self._transport = transport
        self._lease = lease
        self._hand_in = hand_in
        self._urgent: list[Run] = []
        self._bulk: list[Run] = []
        self._flying: dict[int, tuple[Run, Outgoing]] = {}
        self._has_work = asyncio.Event()
        self._is_starved = False
        self._is_draining = False

    @property
    def is_stale(self) -> bool:
        """Whether keys, names and addresses of the account were read so long ago that they may be others by now."""
        return time.monotonic() - self._composed_since > FRESH_S

    def renew(self, composer: Composer) -> None:
        """Compose with this from now on."""
        self._composer = composer
        self._composed_since = time.monotonic()

    @property
    def urgent_count(self) -> int:
        """How many claims of urgent mail it holds."""
        return len(self._urgent)

    @property
    def bulk_count(self) -> int:
        """How many other claims it holds."""
        return len(self._bulk)

    def add(self, run: Run) -> None:
        """Take on one more claim."""
        if self._is_draining:
            run.stop()
        (self._urgent if run.work.is_urgent else self._bulk).append(run)
        self._has_work.set()
        self._sweep()

    def runs(self) -> list[Run]:
        """Return the claims it holds, urgent ones first."""
        return [*self._urgent, *self._bulk]

    def obey(self, run: Run, standing: Standing) -> None:
        """Stop what of a claim must not leave any more."""
        run.obey(standing)
        self._sweep()

    def drain(self) -> None:
        """Take nothing more from any claim; what is on its way may end."""
        self._is_draining = True
        for run in self.runs():
            run.stop()
        self._sweep()
        self._has_work.set()

    async def serve(self, report: Report) -> None:
        """Work until drained, or idle for a while; then close the connections."""
        try:
            while not self._is_draining and await self._find_work():
                await self._work(report)
        finally:
            self.is_closed = True
            await self._transport.close()

    # The outbox: called by the transport, from the event loop.

    def next(self) -> Envelope | None:
        """Take the next envelope.

        Once this said None it goes on saying so until the transport's run has ended: connections that heard it are out
        of that run, and a few that did not must not carry everything that comes in later.
        """
        if self._is_starved or self._is_draining or not self._lease.is_valid:
            return None
        for runs in (self._urgent, self._bulk):
            for run in runs:
                while (item := run.take()) is not None:
                    if (envelope := self._compose(run, item)) is not None:
                        self._flying[item.message_id] = (run, item)
                        return envelope
        self._is_starved = True
        self._sweep()
        return None

    def before_body(self, envelope: Envelope) -> bool:
        """Journal that the body leaves, unless it must not."""
        run, item = self._flying[envelope.message_id]
        if not run.may_leave(item) or not self._lease.is_valid:
            return False
        run.journal.note_leaving(item.message_id)
        return True

    def record(self, envelope: Envelope, result: Result) -> None:
        """Journal and book how a hand-over ended."""
        run, item = self._flying.pop(envelope.message_id)
        run.end(item, result)
        if run.is_over:
            self._sweep()

    def give_back(self, envelope: Envelope) -> None:
        """Take an envelope back that did not leave."""
        run, item = self._flying.pop(envelope.message_id)
        run.give_back(item)
        if run.is_over:
            self._sweep()

    def _compose(self, run: Run, item: Outgoing) -> Envelope | None:
        """Return the finished message; one that cannot be rendered ends here, with the reason."""
        try:
            content = run.contents[item.mailing.content_id]
            if isinstance(content, AppError):
                raise content
            return self._composer.compose(item, content)
        except AppError as error:
            run.end(item, Result(Outcome.FAILED, text=str(error)[:1000]))
            return None

    async def _find_work(self) -> bool:
        """Wait for something to take; False after a while without."""
        while not any(run.is_waiting for run in self.runs()):
            self._has_work.clear()
            if self._is_draining:
                return False
            try:
                async with asyncio.timeout(IDLE_S):
                    await self._has_work.wait()
            except TimeoutError:
                return bool(self.runs())
        return True

    async def _work(self, report: Report) -> None:
        if not self._lease.is_valid:
            await asyncio.sleep(0.1)
            return
        self._is_starved = False
        try:
            await self._transport.run(self)
        except Unavailable as error:
            self._fail(report, error.message, error.permanent)
        except Exception as error:
            log.exception("lane_failed", sender_id=self.sender_id)
            self._fail(report, f"{type(error).__name__}: {error}", False)

    def _fail(self, report: Report, reason: str, is_permanent: bool) -> None:
        """Put everything back: the account rests, other accounts go on."""
        report(self, reason, is_permanent)
        for run in self.runs():
            run.stop()
        self._sweep()

    def _sweep(self) -> None:
        """Hand in what is over."""
        for runs in (self._urgent, self._bulk):
            for run in [run for run in runs if run.is_over]:
                runs.remove(run)
                self._hand_in(run)
