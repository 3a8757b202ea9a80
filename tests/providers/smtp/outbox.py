"""An outbox that breaks the test when a transport breaks its contract."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from typing import Any

from postroom.core.mail.ports import Envelope, Outcome, Result
from postroom.providers.smtp import SmtpSettings, SmtpTransport, Timeouts

Run = Callable[[Coroutine[Any, Any, Any]], Any]
PATIENT = Timeouts(5, 5, 5, 5, 5, 5, 5, 60, 10, 1)
"""For tests in which nobody is late, on a machine that is busy."""


def impatient(scale: float) -> Timeouts:
    """Return the usual timeouts made ``scale`` times shorter, but for connecting and leaving."""
    return replace(Timeouts().scaled(1 / scale), connect=5.0, quit=1.0)


def envelope(number: int, **changes: Any) -> Envelope:
    """Return message ``number``, with its number in all of its parts."""
    header = f"From: a@example.com\r\nTo: u{number}@example.net\r\nMessage-ID: <{number}@example.com>\r\n"
    fields: dict[str, Any] = {
        "message_id": number,
        "return_path": f"bounce-{number}@example.com",
        "recipients": (f"u{number}@example.net",),
        "body": f"{header}\r\nHello {number}\r\n".encode(),
    }
    return Envelope(**{**fields, **changes})


def envelopes(count: int) -> list[Envelope]:
    """Return messages 1 to ``count``."""
    return [envelope(number) for number in range(1, count + 1)]


def ids(numbers: Iterable[int]) -> list[str]:
    """Return the Message-IDs of messages."""
    return [f"<{number}@example.com>" for number in numbers]


class StrictOutbox:
    """Hands out a list of envelopes; those given back queue up again unless ``keeps_back``.

    ``results`` are the final words by message, ``given_back`` counts returns, ``most_flying`` is the largest number of
    bodies that were ever without an answer at the same time.
    """

    def __init__(self, waiting: Iterable[Envelope], *, keeps_back: bool = False) -> None:
        self.waiting = deque(waiting)
        self.results: dict[int, Result] = {}
        self.given_back: Counter[int] = Counter()
        self.refuses: Callable[[Envelope], bool] = lambda envelope: False
        self.most_flying = 0
        self.errors: list[str] = []
        self._keeps_back = keeps_back
        self._out: set[int] = set()
        self._flying: set[int] = set()

    def next(self) -> Envelope | None:
        """Hand out the next envelope."""
        if not self.waiting:
            return None
        envelope = self.waiting.popleft()
        self._check(envelope.message_id not in self._out, f"{envelope.message_id} taken twice")
        self._out.add(envelope.message_id)
        return envelope

    def before_body(self, envelope: Envelope) -> bool:
        """Let the body go, unless the test says otherwise."""
        number = envelope.message_id
        self._check(number in self._out and number not in self._flying, f"{number} announced out of turn")
        if self.refuses(envelope):
            return False
        self._flying.add(number)
        self.most_flying = max(self.most_flying, len(self._flying))
        return True

    def record(self, envelope: Envelope, result: Result) -> None:
        """Note the result."""
        number = envelope.message_id
        self._settle(number)
        self._check(number not in self.results, f"{number} recorded twice")
        if result.outcome in {Outcome.SENT, Outcome.IN_DOUBT}:
            self._check(number in self._flying, f"{number} {result.outcome} without a body")
        self._flying.discard(number)
        self.results[number] = result

    def give_back(self, envelope: Envelope) -> None:
        """Take the envelope back."""
        number = envelope.message_id
        self._settle(number)
        self._check(number not in self._flying, f"{number} given back after its body left")
        self.given_back[number] += 1
        if not self._keeps_back:
            self.waiting.append(envelope)

    def of(self, outcome: Outcome) -> list[int]:
        """Return the numbers of the messages that ended in ``outcome``."""
        return sorted(number for number, result in self.results.items() if result.outcome is outcome)

    def check(self) -> None:
        """Fail unless every envelope taken has been recorded or given back, once, in the right order."""
        assert self.errors == []
        assert self._out == set()
        assert self._flying == set()

    def _settle(self, number: int) -> None:
        self._check(number in self._out, f"{number} settled without being out")
        self._out.discard(number)

    def _check(self, is_right: bool, complaint: str) -> None:
        if not is_right:
            self.errors.append(complaint)


def settings(port: int, **changes: Any) -> SmtpSettings:
    """Return settings for the sink at ``port``, impatient and with a single connection unless told otherwise."""
    fields: dict[str, Any] = {
        "host": "127.0.0.1",
        "internal_hosts": ("*",),
        "port": port,
        "max_connections": 1,
        "timeouts": PATIENT,
        "retry_delay_s": 0.01,
    }
    return SmtpSettings(**{**fields, **changes})


async def deliver(outbox: StrictOutbox, chosen: SmtpSettings) -> None:
    """Run a transport over ``outbox`` once, close it, and check that the contract was kept."""
    transport = SmtpTransport(chosen)
    try:
        await asyncio.wait_for(transport.run(outbox), 30)
    finally:
        await transport.close()
        outbox.check()
