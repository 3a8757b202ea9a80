"""Handing envelopes over on one connection, with as few round trips as the server allows (RFC 2920).

With PIPELINING the content of one message and MAIL, RCPT and DATA of the next leave in one write. The next content
waits for its 354, and that comes after the final reply to the first: only one body is ever without an answer.
"""

import asyncio
from typing import Final

from postroom.core.mail.ports import Envelope, Outcome, Result
from postroom.providers.smtp.errors import EnvelopeRefused
from postroom.providers.smtp.guarded import GuardedOutbox
from postroom.providers.smtp.replies import OpeningReplies, read_result
from postroom.providers.smtp.session import Session
from postroom.providers.smtp.settings import Timeouts
from postroom.providers.smtp.transactions import END, Transaction, prepare, refused_here
from postroom.providers.smtp.wire import HIGH_WATER

_MAX_TICK_S: Final = 5.0


class Pipeline:
    """Carries envelopes over one signed-in connection.

    ``_flying`` is the message whose content has left, ``_current`` the one whose commands have. ``answered`` counts the
    envelopes on which the server gave its word.
    """

    def __init__(self, session: Session, timeouts: Timeouts) -> None:
        self.answered = 0
        self._wire = session.wire
        self._features = session.features
        self._session = session.description
        self._openings = OpeningReplies()
        self._usual = (b"", "", Result(Outcome.SENT))  # the last good word on a message, what led to it, what it means
        self._timeouts = timeouts
        self._loop = asyncio.get_running_loop()
        stages = (timeouts.mail, timeouts.rcpt, timeouts.data, timeouts.block, timeouts.final)
        self._tick_s = min(_MAX_TICK_S, min(stages) / 4)
        self._outbox: GuardedOutbox | None = None
        self._done: asyncio.Future[str] | None = None
        self._flying: Transaction | None = None
        self._current: Transaction | None = None
        self._needs_reset = False
        self._awaits_dot = False  # a lone dot was sent and its reply is due
        self._deadline = self._body_deadline = 0.0
        self._unsent = 0
        self._rested_at = self._loop.time()
        session.wire.listener = self

    @property
    def is_open(self) -> bool:
        """Whether the connection can carry more."""
        return self._wire.is_open

    @property
    def idle_s(self) -> float:
        """How many seconds the connection has rested since it last carried anything."""
        return self._loop.time() - self._rested_at

    async def carry(self, outbox: GuardedOutbox, envelope: Envelope) -> str:
        """Hand over ``envelope`` and all that follows until there is no more.

        Returns how the server went away, or nothing when it did not. Either way, and when cancelled, every envelope
        taken has been recorded or given back.
        """
        self._outbox, self._done = outbox, self._loop.create_future()
        try:
            self._begin(self._prepare(envelope) or self._take())
            while not self._done.done():
                await asyncio.wait((self._done,), timeout=self._tick_s)
                self._tick()
            return self._done.result()
        finally:
            if not self._done.done():
                self._wire.lose("we stopped")
            self._outbox = self._done = None
            self._rested_at = self._loop.time()

    async def close(self) -> None:
        """Say QUIT, wait a moment for the answer, and close."""
        if self._wire.is_open:
            self._done = self._loop.create_future()
            self._wire.write(b"QUIT\r\n")
            await asyncio.wait((self._done,), timeout=self._timeouts.quit)
        self._wire.hang_up()

    def on_octets(self, octets: bytes) -> bytes:
        """Hear, all at once, what a server says to message after message: 250 to the last one, and 250, 250, 354 to the
        commands of the next. Returns the rest, which is read reply by reply.
        """
        flying = self._flying
        if flying is not None:
            line, end, rest = octets.partition(b"\r\n")
            if not end or line[:4] != b"250 " or b"\n" in line or self._wire.is_backed_up:
                return octets
            self._hear_accepted(flying, line[4:])
            octets = rest
        current = self._current
        if octets and current is not None and current.step == 0 and current.last_step == 2:
            said = self._openings.read(octets)
            if said and self._features.has_pipelining and not self._awaits_dot:
                current.said, current.step = said, 2
                self._send_content(current)
                return b""
        return octets

    def on_reply(self, code: int, text: bytes) -> None:
        """Hear one reply; they come in the order of what was sent."""
        if self._flying is not None:
            self._hear_final(self._flying, code, text)
        elif self._awaits_dot:
            self._hear_dot(code)
        elif self._current is not None:
            self._hear_command(self._current, code, text)
        else:
            self._wire.lose(f"it said {code} without being asked")

    def on_lost(self, reason: str) -> None:
        """Settle what was under way: in doubt is only a message whose content has left entirely."""
        flying, current = self._flying, self._current
        self._flying = self._current = None
        if flying is not None:
            # Backed up with nothing behind the content: part of it never left, so the server cannot have it.
            is_partial = self._wire.is_backed_up and current is None
            self._record(flying, Result(Outcome.DEFERRED if is_partial else Outcome.IN_DOUBT, text=reason))
        if current is not None:
            verdict = current.verdict()
            if verdict is None:
                self._give_back(current)
            else:
                self._record(current, verdict)
                self.answered += 1
        self._finish(reason)

    def _hear_accepted(self, flying: Transaction, text: bytes) -> None:
        """Take the server's word that it has the message. The same words mean the same again."""
        last, led_by, result = self._usual
        if text != last or flying.said != led_by or flying.refused:
            result = self._describe(flying, read_result(250, text.rstrip(), flying.refused))
            self._usual = text, flying.said, result
            if flying.refused:
                self._usual = b"", "", result
        self._flying = None
        self._outbox_now.record(flying.envelope, result)
        self.answered += 1
        if self._current is None:
            self._begin(self._take())
        else:
            self._wait(self._timeouts.mail)

    def _hear_final(self, flying: Transaction, code: int, text: bytes) -> None:
        """Take the server's word on a whole message."""
        is_early = self._wire.is_backed_up  # a refusal may come before all has left; nothing else may
        if 300 <= code < 400 or (is_early and code < 300):
            self._wire.lose(f"it answered {code} to a message")
            return
        self._flying = None
        self._record(flying, flying.result(code, text))
        self.answered += 1
        if code == 421 or is_early:
            self._wire.lose(f"it answered {code} and closes")
        elif self._current is None:
            self._begin(self._take())
        else:
            self._wait(self._timeouts.mail)

    def _hear_dot(self, code: int) -> None:
        """Take the answer to a lone dot: whatever it is, nobody was to receive anything."""
        self._awaits_dot = False
        if code == 421:
            self._wire.lose("it answered 421 and closes")
        elif self._current is None:
            self._finish("")
        else:
            self._wait(self._timeouts.mail)

    def _hear_command(self, current: Transaction, code: int, text: bytes) -> None:
        """Take the answer to RSET, MAIL, RCPT or DATA."""
        current.note(code, text)
        if code == 421:
            self._hear_closing(current, text)
        elif current.is_at_data:
            self._hear_data(current, code, text)
        elif 300 <= code < 400:
            self._wire.lose(f"it answered {code} to {current.command()[:4].decode()}")
        else:
            if code >= 400 and current.step == 0:
                current.refusal = (code, text)
            elif code >= 400 and current.step > 0:
                current.refuse_recipient(code, text)
            current.step += 1
            self._go_on(current)

    def _hear_closing(self, current: Transaction, text: bytes) -> None:
        """Take a 421: to MAIL it is about the connection, later perhaps about this envelope, which then has to wait."""
        if current.step > 0:
            current.refusal = (421, text)
        self._wire.lose("it answered 421 and closes")

    def _hear_data(self, current: Transaction, code: int, text: bytes) -> None:
        """Take the answer to DATA. A 354 after nobody was accepted gets a lone dot (RFC 2920 section 3.1)."""
        verdict = current.verdict()
        if code < 300:
            self._wire.lose(f"it answered {code} to DATA")
        elif code >= 400:
            self._turn_down(current, verdict or current.result(code, text))
        elif verdict is None:
            self._send_content(current)
        else:
            self._awaits_dot = True
            self._wire.write(END)
            self._turn_down(current, verdict)

    def _go_on(self, current: Transaction) -> None:
        """Wait for the reply to the next command; without PIPELINING send it first, unless all is lost already."""
        if not self._features.has_pipelining:
            verdict = current.verdict()
            if verdict is not None:
                self._turn_down(current, verdict)
                return
            self._wire.write(current.command())
        timeouts = self._timeouts
        self._wait(timeouts.data if current.is_at_data else timeouts.rcpt if current.step else timeouts.mail)

    def _turn_down(self, current: Transaction, result: Result) -> None:
        """Record an envelope that was refused before its content, and go to the next."""
        self._current = None
        self._needs_reset = True
        self._record(current, result)
        self.answered += 1
        self._begin(self._take())

    def _send_content(self, current: Transaction) -> None:
        """Send the content of ``current`` and, in the same write, the commands of the envelope after it.

        Nothing follows a large one, so that a backed-up connection always means unsent content.
        """
        is_small = len(current.content) <= HIGH_WATER
        following = self._take() if is_small and self._features.has_pipelining else None
        if not self._outbox_now.may_leave(current.envelope):
            self._withdraw(current, following)
            return
        self._flying, self._current, self._unsent = current, following, 0
        self._wire.write(b"".join((current.content, END, following.group() if following else b"")))
        now = self._loop.time()
        self._deadline = now + self._timeouts.final
        self._body_deadline = now + self._timeouts.body_total

    def _withdraw(self, current: Transaction, following: Transaction | None) -> None:
        """Break off after a 354: only a dropped connection keeps the server from waiting for, or inventing, content."""
        self._current = None
        self._give_back(current)
        if following is not None:
            self._give_back(following)
        self._wire.hang_up()
        self._finish("")

    def _begin(self, transaction: Transaction | None) -> None:
        """Send the commands of ``transaction``; with none, the work is done."""
        if transaction is not None:
            self._current = transaction
            self._wire.write(transaction.group() if self._features.has_pipelining else transaction.command())
            self._wait(self._timeouts.mail)
        elif self._awaits_dot:
            self._wait(self._timeouts.final)
        else:
            self._finish("")

    def _take(self) -> Transaction | None:
        """Take the next envelope that can be said to this server; record the others as failed."""
        while (envelope := self._outbox_now.take()) is not None:
            if (transaction := self._prepare(envelope)) is not None:
                return transaction
        return None

    def _prepare(self, envelope: Envelope) -> Transaction | None:
        try:
            transaction = prepare(envelope, self._features)
        except EnvelopeRefused as error:
            self._outbox_now.record(envelope, refused_here(error)._replace(session=self._session))
            return None
        if self._needs_reset:
            transaction.reset_first()
            self._needs_reset = False
        return transaction

    @property
    def _outbox_now(self) -> GuardedOutbox:
        if self._outbox is None:
            raise RuntimeError("no work is under way on this connection")
        return self._outbox

    def _record(self, transaction: Transaction, result: Result) -> None:
        self._outbox_now.record(transaction.envelope, self._describe(transaction, result))

    def _describe(self, transaction: Transaction, result: Result) -> Result:
        """Return ``result`` with where and after which replies it came about."""
        return result._replace(session=self._session, dialogue=transaction.said)

    def _give_back(self, transaction: Transaction) -> None:
        self._outbox_now.give_back(transaction.envelope)

    def _finish(self, reason: str) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(reason)

    def _wait(self, seconds: float) -> None:
        """Give the server ``seconds`` for its next whole reply."""
        self._deadline = self._loop.time() + seconds

    def _tick(self) -> None:
        """Drop the connection when the server is late; content that is still leaving is judged by its progress."""
        now = self._loop.time()
        if self._flying is not None:
            self._watch_content(now)
        if now >= self._deadline:
            self._wire.lose("it did not answer in time")

    def _watch_content(self, now: float) -> None:
        unsent = self._wire.unsent if self._wire.is_backed_up else 0
        if unsent == self._unsent:
            return
        self._unsent = unsent
        limit = self._timeouts.block if unsent else self._timeouts.final
        self._deadline = min(now + limit, self._body_deadline) if unsent else now + limit
