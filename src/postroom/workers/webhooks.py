"""The deliverer of webhooks: one loop that books and claims, and many requests at once beside it."""

import asyncio
import os
import socket
import threading
import time
from contextlib import suppress
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from queue import Empty, SimpleQueue
from typing import Final
from uuid import uuid4

from django.conf import settings

from postroom.core.webhooks import services as webhooks
from postroom.core.webhooks.services.delivering import LEASE
from postroom.core.webhooks.types import NOTIFY_CALLS, Answer, Delivery
from postroom.kit import clock
from postroom.kit.errors import AppError
from postroom.kit.http import AsyncClient, Bounds, Question
from postroom.workers.registry import every

LANES: Final = 100
"""So many webhooks are called at the same time, each with one call."""

ANSWER_READ: Final = 16_384
LOOK_EVERY_S: Final = 0.2
FINISH_WITHIN_S: Final = 6.0


class Deliverer:
    """Makes calls until told to stop. ``step`` and ``close`` belong to one thread; requests run in a loop of their own.

    Each step books what was answered since the last one and claims what is due, in as few transactions as there are
    steps: under load one step serves many webhooks, and an answer is booked before the next call of its webhook.
    """

    def __init__(self, *, lanes: int = LANES, lease: timedelta = LEASE) -> None:
        self._owner = f"{socket.gethostname()[:30]}-{os.getpid()}-{uuid4().hex[:8]}"
        self._lanes = lanes
        self._lease = lease
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._unbooked: list[Answer] = []
        self._in_flight = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.current_thread()
        self._client: AsyncClient | None = None

    def step(self, now: datetime) -> bool:
        """Book and claim once; return whether there is more to do right away."""
        self._collect(LOOK_EVERY_S)
        claimed = self._take_turn(self._lanes - self._in_flight)
        for delivery in claimed:
            self._in_flight += 1
            asyncio.run_coroutine_threadsafe(self._deliver(delivery), self._running_loop())
        return self._in_flight > 0

    def close(self) -> None:
        """Wait a little for the calls under way and book them; what is not answered by then is made again later."""
        deadline = time.monotonic() + FINISH_WITHIN_S
        while self._in_flight and time.monotonic() < deadline:
            self._collect(LOOK_EVERY_S)
            self._take_turn(0)
        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result(FINISH_WITHIN_S)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(FINISH_WITHIN_S)
            self._loop = self._client = None

    def _take_turn(self, most: int) -> list[Delivery]:
        """What could not be booked stays for the next turn."""
        claimed = webhooks.take_turn(
            owner=self._owner, answers=self._unbooked, most=most, now=clock.now(), lease=self._lease
        )
        self._unbooked = []
        return claimed

    def _collect(self, patience_s: float) -> None:
        """Take what was answered; with calls under way and nothing answered, wait a moment for the first."""
        with suppress(Empty):
            if self._in_flight and not self._unbooked:
                self._keep(self._answers.get(timeout=patience_s))
            while True:
                self._keep(self._answers.get_nowait())

    def _keep(self, answer: Answer) -> None:
        self._unbooked.append(answer)
        self._in_flight -= 1

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=_run, args=(self._loop,), name="webhooks", daemon=True)
            self._thread.start()
        return self._loop

    async def _hang_up(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if self._client is not None:
            await self._client.close()

    async def _deliver(self, delivery: Delivery) -> None:
        """Whatever happens to a call, an answer comes of it."""
        began = time.monotonic()
        try:
            answer = await self._ask(delivery, began)
        except AppError as error:
            answer = Answer(delivery, clock.now(), error=error.message, duration_ms=_since(began))
        except Exception as error:
            answer = Answer(delivery, clock.now(), error=type(error).__name__, duration_ms=_since(began))
        self._answers.put(answer)

    async def _ask(self, delivery: Delivery, began: float) -> Answer:
        if self._client is None:
            self._client = AsyncClient(
                Bounds(tuple(settings.INTERNAL_HTTP_HOSTS), max_body=ANSWER_READ, connections=self._lanes, is_cut=True)
            )
        question = Question("POST", delivery.url, delivery.headers, delivery.body)
        try:
            async with asyncio.timeout(delivery.deadline_s):
                reply = await self._client.ask(question)
        except TimeoutError:
            said = f"No answer within {delivery.deadline_s:.0f} seconds."
            return Answer(delivery, clock.now(), error=said, duration_ms=_since(began))
        return Answer(
            delivery,
            clock.now(),
            code=reply.status,
            text=reply.body.decode("utf-8", "replace"),
            duration_ms=_since(began),
            retry_after_s=_retry_after(reply.headers.get("retry-after", "")),
        )


_DELIVERER: Final = Deliverer()


@every(1.0, wakes_on=NOTIFY_CALLS, at_end=_DELIVERER.close)
def deliver_webhooks(now: datetime) -> bool:
    """Call webhooks."""
    return _DELIVERER.step(now)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)


def _retry_after(text: str) -> float:
    """Return the seconds an answer asks us to wait (RFC 9110, section 10.2.3), 0 where it does not say."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, (parsedate_to_datetime(text) - clock.now()).total_seconds())
    except (ValueError, TypeError):
        return 0.0
