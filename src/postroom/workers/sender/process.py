"""The sender process: claims work, hands it to the lanes of the sender accounts, books the results."""

import asyncio
import ctypes
import gc
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import structlog
import uvloop
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from postroom.core.mail.ports import Handover
from postroom.core.mail.selectors import load_sender_profile
from postroom.core.mail.types import SenderProfile, Work
from postroom.kit.errors import AppError
from postroom.providers import build_transport
from postroom.workers.journal import ClaimJournal, Journal, JournalBroken
from postroom.workers.sender import tasks
from postroom.workers.sender.brakes import Brakes
from postroom.workers.sender.composer import Composer
from postroom.workers.sender.lanes import Lane
from postroom.workers.sender.lease import Lease
from postroom.workers.sender.runs import Run

BULK_CLAIMS: Final = 2
"""One on the wire, the next one ready: the lane never waits for the database."""
URGENT_CLAIMS: Final = 4
MAX_CLAIMS: Final = 32

_M_ARENA_MAX: Final = -8
"""The C library's word for how many arenas threads allocate from (mallopt(3))."""

IDLE_TRANSACTION_MS: Final = 5_000
"""How long the database waits for the next statement of a transaction of ours: one that was stopped or cut off in the
middle of a claim must not hold its locks against every other sender.
"""

SWITCH_S: Final = 0.0005
"""How long a thread may keep the loop waiting: ten times less than usual, since the loop has every answer to take."""

T = TypeVar("T")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the process looks, how long it believes what it saw, and how long it may take to end; in seconds."""

    poll_s: float = 0.5
    watch_s: float = 1.0
    recover_s: float = 5.0
    lease_s: float = 10.0
    finish_within_s: float = 8.0


def main(pace: Pace | None = None) -> None:
    """Send until SIGTERM or SIGINT, then finish what is on the wire, put the rest back and return."""
    sys.setswitchinterval(SWITCH_S)
    _spare_collector()
    _share_arenas()
    connection_created.connect(_limit_transactions)
    owner = make_owner()
    journal = Journal(Path(settings.JOURNAL_DIR), owner)
    try:
        uvloop.run(SenderProcess(journal, pace or Pace()).run())
    finally:
        journal.close()


def _spare_collector() -> None:
    """Look for garbage rarely, and never among what was loaded at the start: nothing here makes cycles by the message,
    but a claim makes so many objects that the collector's searches would cost as much as the claim.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _share_arenas() -> None:
    """Have the threads share one arena of memory: of several, each would keep what a claim once needed there."""
    with suppress(OSError, AttributeError):  # not glibc
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def _limit_transactions(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = %s", [IDLE_TRANSACTION_MS])


def make_owner() -> str:
    """Return a name that no other sender ever has: machine, process and chance."""
    host = "".join(character if character.isalnum() else "-" for character in socket.gethostname())[:30]
    return f"{host}-{os.getpid()}-{secrets.token_hex(6)}"


class SenderProcess:
    """The event loop's side: lanes and what they wait for. Everything that touches the database runs in threads."""

    def __init__(self, journal: Journal, pace: Pace) -> None:
        self._journal = journal
        self._pace = pace
        self._lease = Lease(pace.lease_s)
        self._lanes: dict[tuple[int, int], Lane] = {}  # by the account and the one whose server carries its mail
        self._serving: set[asyncio.Task[None]] = set()
        self._booking: set[asyncio.Future[None]] = set()
        self._held: dict[int, Work] = {}  # all claims that are not booked yet, by their identity
        self._is_unsure = False  # whether a claim may be ours that we know nothing of: its answer was lost
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        # Each thread has a database connection of its own; one thread books, so that results land in order.
        self._claimer = ThreadPoolExecutor(1, "claim")
        self._booker = ThreadPoolExecutor(1, "book")
        self._looker = ThreadPoolExecutor(1, "look")
        self._watcher = tasks.Watcher(journal.owner, pace.watch_s)
        self._books = tasks.Books()
        self._brakes = Brakes()

    async def run(self) -> None:
        """Work until a signal comes."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        log.info("sender_started", owner=self._journal.owner)
        claiming = asyncio.create_task(self._claim())
        loops = [claiming, asyncio.create_task(self._watch()), asyncio.create_task(self._recover())]
        stopped = asyncio.create_task(self._stopping.wait())
        await asyncio.wait([*loops, stopped], return_when=asyncio.FIRST_COMPLETED)
        failed = [task for task in loops if task.done() and task.exception() is not None]
        self._stopping.set()
        self._wake.set()
        await asyncio.wait([claiming])
        await self._finish()
        for task in (*loops, stopped):
            task.cancel()
        log.info("sender_stopped", owner=self._journal.owner)
        for task in failed:
            task.result()  # a loop that died takes the process with it, to be started afresh

    async def _claim(self) -> None:
        """Keep every lane supplied."""
        while not self._stopping.is_set():
            self._wake.clear()
            work = await self._claim_next()
            if work is not None:
                await self._start(work)
                continue
            try:
                async with asyncio.timeout(self._pace.poll_s):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _claim_next(self) -> Work | None:
        lanes = self._lanes
        if len(self._held) >= MAX_CLAIMS or not self._lease.is_valid:
            return None
        busy = [key for key, lane in lanes.items() if lane.bulk_count >= BULK_CLAIMS]
        full = [key for key, lane in lanes.items() if lane.urgent_count >= URGENT_CLAIMS]
        try:
            if self._is_unsure:
                known = list(self._held.values())
                await self._in(self._claimer, lambda: tasks.put_back_unknown(self._journal.owner, known))
                self._is_unsure = False
            work = await self._in(self._claimer, lambda: tasks.claim(self._journal.owner, busy, full))
        except tasks.DatabaseAway:
            self._is_unsure = True
            return None
        if work is not None:
            self._held[id(work)] = work
        return work

    async def _start(self, work: Work) -> None:
        """Give claimed work to its account's lane."""
        try:
            contents = await self._in(self._claimer, lambda: tasks.load_contents(work))
            lane = await self._lane(work.sender_id, work.route_id)
            run = Run(work, contents, self._journal.open_claim(), self._brakes.of(work))
        except (AppError, JournalBroken) as error:
            log.warning("lane_refused", sender_id=work.sender_id, route_id=work.route_id, reason=str(error))
            reason, is_permanent = str(error), not isinstance(error, JournalBroken)
            self._book(lambda: tasks.report_failure(work.route_id, reason, is_permanent))
            self._close(work, ())
            return
        lane.add(run)

    async def _lane(self, sender_id: int, route_id: int) -> Lane:
        """Return the lane of an account over its own server or another's, opened now when there is none.

        Raises AppError for a hopeless account.
        """
        lane = self._lanes.get((sender_id, route_id))
        if lane is not None and not lane.is_closed:
            if lane.is_stale:
                lane.renew(Composer(await self._profile(sender_id)))
            return lane
        profile = await self._profile(sender_id)
        route = profile if route_id == sender_id else await self._profile(route_id)
        lane = Lane(Composer(profile), build_transport(profile=route), self._lease, self._hand_in)
        self._lanes[sender_id, route_id] = lane
        task = asyncio.create_task(lane.serve(lambda lane, reason, lasts: self._report(lane, route_id, reason, lasts)))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        return lane

    async def _profile(self, sender_id: int) -> SenderProfile:
        return await self._in(self._claimer, lambda: tasks.retried(lambda: load_sender_profile(sender_id=sender_id)))

    async def _watch(self) -> None:
        """Hear of new work and of stops, and renew the lease by looking what is still ours."""
        while True:
            runs = [(lane, run) for lane in self._lanes.values() for run in lane.runs()]
            looked_at = self._lease.clock()
            standing = await self._in(self._looker, self._watcher.look)
            if standing is not None:
                for lane, run in runs:
                    lane.obey(run, standing)
                self._lease.renew(looked_at)
            await self._in(self._looker, self._watcher.wait)
            self._wake.set()

    async def _recover(self) -> None:
        """Settle what dead senders of this machine left."""
        while not self._stopping.is_set():
            await self._in(self._booker, tasks.recover)
            self._wake.set()
            await asyncio.sleep(self._pace.recover_s)

    async def _finish(self) -> None:
        """Let bodies on the wire end, within reason; put back and book everything."""
        for lane in self._lanes.values():
            lane.drain()
        if self._serving:
            _, late = await asyncio.wait(list(self._serving), timeout=self._pace.finish_within_s)
            for task in late:
                task.cancel()  # the connection drops; what was leaving is in doubt, and booked so
            await asyncio.gather(*late, return_exceptions=True)
        if self._booking:
            await asyncio.wait(list(self._booking), timeout=self._pace.finish_within_s)
        if self._is_unsure or self._booking:
            with suppress(JournalBroken):
                self._journal.open_claim()  # so that the journal stays, and whoever comes next settles what we hold
        else:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.finish_within_s):
                    await self._in(self._booker, lambda: tasks.say_gone(self._journal.owner))
        tasks.ENDING.set()
        self._watcher.close()
        for pool in (self._claimer, self._booker, self._looker):
            pool.shutdown(wait=False, cancel_futures=True)

    def _hand_in(self, run: Run) -> None:
        """Book a run that is over; its journal goes when that is done."""
        self._close(run.work, tuple(run.handovers), run.journal)

    def _close(self, work: Work, handovers: Sequence[Handover], journal: ClaimJournal | None = None) -> None:
        def close() -> None:
            self._books.close(work, handovers)
            if journal is not None:
                journal.remove()

        self._book(close).add_done_callback(lambda _: self._let_go(work))

    def _let_go(self, work: Work) -> None:
        self._held.pop(id(work), None)
        self._brakes.forget(work)

    def _report(self, lane: Lane, route_id: int, reason: str, is_permanent: bool) -> None:
        """Let an account rest whose server cannot be used; what tries it again begins with the settings of then."""
        lane.drain()
        log.warning("sender_account_failed", sender_id=route_id, reason=reason, permanent=is_permanent)
        self._book(lambda: tasks.report_failure(route_id, reason, is_permanent))

    def _book(self, act: Callable[[], None]) -> "asyncio.Future[None]":
        future = asyncio.get_running_loop().run_in_executor(self._booker, lambda: tasks.retried(act))
        self._booking.add(future)
        future.add_done_callback(self._booked)
        return future

    def _booked(self, future: "asyncio.Future[None]") -> None:
        self._booking.discard(future)
        self._wake.set()
        if not future.cancelled() and future.exception() is not None:
            # The journal keeps what could not be booked; whoever comes next replays it.
            log.error("booking_failed", exc_info=future.exception())
            self._is_unsure = True
            self._stopping.set()

    async def _in(self, pool: ThreadPoolExecutor, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, act)
