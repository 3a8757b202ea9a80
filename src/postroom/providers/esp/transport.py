"""Messages over HTTP: a few calls at a time, each with as many messages as the provider takes at once."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Final

import structlog

from postroom.core.mail.ports import Envelope, Outbox, Outcome, Result
from postroom.kit.errors import AppError, Unavailable
from postroom.kit.hosts import HostRefused
from postroom.kit.http import AsyncClient, Bounds, NoAnswer, NotSent, Question, Reply
from postroom.providers.esp.letters import Letter
from postroom.providers.esp.vendor import Vendor, refused, words_of
from postroom.providers.smtp.guarded import GuardedOutbox

DEADLINE_S: Final = 60.0
REPEATS: Final = 2
"""How often a call whose answer got lost is made again at once, where a key makes that harmless."""
MAX_LOSSES: Final = 3
"""How many calls in a row may end without a clear answer before the account rests."""
MAX_RESTS: Final = 2
"""How often in a row a provider may ask us to wait before the account rests for longer."""
LONGEST_REST_S: Final = 30.0

log = structlog.get_logger(__name__)


class EspUnavailable(Unavailable):
    """The provider does not take mail of this account now."""

    code = "provider_unavailable"


@dataclass(frozen=True, slots=True)
class _Parcel:
    """One message ready for a call."""

    letter: Letter
    prepared: object

    @property
    def envelope(self) -> Envelope:
        return self.letter.envelope


class EspTransport:
    """A transport (see ``core.mail.ports``) to one account at one provider. One ``run`` at a time."""

    def __init__(self, vendor: Vendor, bounds: Bounds, *, repeat_delay_s: float = 0.5) -> None:
        self._vendor = vendor
        self._client = AsyncClient(bounds)
        self._connections = bounds.connections
        self._repeat_delay_s = repeat_delay_s
        self._spare: list[_Parcel] = []
        self._alone = 0  # so many of the next messages go one by one
        self._trouble: Unavailable | None = None
        self._losses = 0
        self._rests = 0
        self._rest_until = 0.0

    async def run(self, outbox: Outbox) -> None:
        """Hand over everything ``outbox`` gives until it answers None.

        Raises EspUnavailable when the provider does not serve the account, and whatever a method of ``outbox`` raised,
        each after all envelopes taken have been recorded or given back. Cancelled, what was asked for is in doubt.
        """
        guarded = GuardedOutbox(outbox)
        self._trouble, self._losses, self._rests = None, 0, 0
        try:
            # The first call goes alone: a wrong key is tried once, not once per connection.
            if await self._carry(guarded):
                async with asyncio.TaskGroup() as group:
                    for _ in range(self._connections):
                        group.create_task(self._work(guarded))
        finally:
            while self._spare:
                guarded.give_back(self._spare.pop().envelope)
        if self._trouble is not None:
            raise self._trouble
        if guarded.failure is not None:
            raise guarded.failure

    async def close(self) -> None:
        """Hang up."""
        await self._client.close()

    async def _work(self, guarded: GuardedOutbox) -> None:
        while await self._carry(guarded):
            pass

    async def _carry(self, guarded: GuardedOutbox) -> bool:
        """Make one call with what is waiting. Returns whether there may be more to do."""
        while (left := self._rest_until - time.monotonic()) > 0:
            await asyncio.sleep(left)
        if self._trouble is not None or not (parcels := self._collect(guarded)):
            return False
        try:
            await self._deliver(guarded, parcels)
        except Unavailable as error:
            self._trouble = error
        return self._trouble is None

    def _collect(self, guarded: GuardedOutbox) -> list[_Parcel]:
        """Take as many messages as fit into one call, and have them journalled as leaving."""
        parcels: list[_Parcel] = []
        most = 1 if self._alone else self._vendor.batch_size
        while len(parcels) < most and (parcel := self._next(guarded)) is not None:
            is_loner = not self._vendor.fits_batch(parcel.prepared)
            if is_loner and parcels:
                self._spare.append(parcel)
                break
            if guarded.may_leave(parcel.envelope):
                parcels.append(parcel)
            else:
                guarded.give_back(parcel.envelope)
            if is_loner:
                break
        self._alone = max(0, self._alone - len(parcels))
        return parcels

    def _next(self, guarded: GuardedOutbox) -> _Parcel | None:
        """Take the next message; those that the provider cannot carry end here."""
        if self._spare:
            return self._spare.pop()
        while (envelope := guarded.take()) is not None:
            letter = Letter(envelope)
            try:
                return _Parcel(letter, self._vendor.prepare(letter))
            except AppError as error:
                guarded.record(envelope, refused(error.message))
            except Exception as error:  # one message that cannot be read must not hold up all the others
                log.warning("letter_not_prepared", message_id=envelope.message_id, error=type(error).__name__)
                guarded.record(envelope, refused(f"The message cannot be taken apart: {type(error).__name__}."))
        return None

    async def _deliver(self, guarded: GuardedOutbox, parcels: Sequence[_Parcel]) -> None:
        """Ask, and report on every message. Raises Unavailable when all are recorded or given back."""
        call = _Call(self._vendor, self._client, guarded, parcels)
        reply = await call.ask(self._repeat_delay_s)
        if reply is None:
            self._losses += 1
            if self._losses >= MAX_LOSSES:
                raise EspUnavailable(f"{self._vendor.name} gives no clear answer: {call.said}")
            return
        self._losses = 0
        if reply.status == 429 and not self._vendor.is_exhausted(reply):
            call.give_back()
            self._rest(reply)
            return
        if call.is_all_refused(reply):  # one of them had the whole call refused: each is asked for again by itself
            self._alone += len(parcels)
            call.give_back()
            return
        call.settle(reply)
        self._rests = 0

    def _rest(self, reply: Reply) -> None:
        """Have all calls of the account wait as long as the provider says. Raises Unavailable if that is too long."""
        now = time.monotonic()
        if now >= self._rest_until:  # else this answer is to a call that was made before the rest began
            self._rests += 1
        seconds = _retry_after(reply)
        seconds = float(2**self._rests) if seconds is None else seconds
        if seconds > LONGEST_REST_S or self._rests > MAX_RESTS:
            raise EspUnavailable(f"{self._vendor.name} asks us to wait for {seconds:.0f} seconds.")
        self._rest_until = max(self._rest_until, now + seconds)


class _Call:
    """One call for one or more messages whose leaving is journalled. ``said`` is why an asking had no clear answer."""

    def __init__(self, vendor: Vendor, client: AsyncClient, guarded: GuardedOutbox, parcels: Sequence[_Parcel]) -> None:
        self.said = ""
        self._vendor = vendor
        self._client = client
        self._guarded = guarded
        self._parcels = parcels
        self._asked_at = time.time()

    async def ask(self, repeat_delay_s: float) -> Reply | None:
        """Return a clear answer, or None after booking doubt. Raises Unavailable when nothing could leave."""
        question = self._vendor.ask([parcel.prepared for parcel in self._parcels], self._key())
        try:
            for repeat in range(REPEATS + 1 if self._vendor.knows_keys else 1):
                if repeat:
                    await asyncio.sleep(repeat_delay_s * 2**repeat)
                if (reply := await self._ask_once(question, repeat)) is not None:
                    return reply
        except asyncio.CancelledError:
            self.doubt("We were stopped while waiting for the provider's answer.")
            raise
        self.doubt(self.said)
        return None

    def is_all_refused(self, reply: Reply) -> bool:
        """Whether a call for several messages was refused for what may be the fault of one of them."""
        if len(self._parcels) == 1 or reply.status not in (400, 409, 413, 422):
            return False
        is_about_all = self._vendor.is_account_trouble(reply) or self._vendor.is_duplicate(reply)
        return not is_about_all and self._vendor.read(reply, len(self._parcels)) is None

    def settle(self, reply: Reply) -> None:
        """Report what a clear answer says of each message. Raises Unavailable when it is about the account."""
        is_exhausted = self._vendor.is_exhausted(reply)
        if is_exhausted or self._vendor.is_account_trouble(reply):
            self.give_back()
            raise EspUnavailable(f"{self._vendor.name} refuses: {words_of(reply)}", permanent=not is_exhausted)
        session, dialogue = f"{self._vendor.name} {self._vendor.base}", f"POST: HTTP {reply.status}"
        for parcel, result in zip(self._parcels, self._results(reply), strict=True):
            self._guarded.record(parcel.envelope, result._replace(session=session, dialogue=dialogue))

    def doubt(self, said: str) -> None:
        """Report that nobody knows whether the messages were taken, and until when asking again is harmless."""
        lifetime = self._vendor.key_lifetime_s
        safe_until = self._asked_at + lifetime if lifetime else 0.0
        result = Result(Outcome.IN_DOUBT, text=said[:1000], safe_until=safe_until, is_relayed=True)
        for parcel in self._parcels:
            self._guarded.record(parcel.envelope, result)

    def give_back(self) -> None:
        """Return the messages: the provider has none of them. What an earlier call may have done is in doubt."""
        if self.said:
            self.doubt(self.said)
            return
        for parcel in self._parcels:
            self._guarded.give_back(parcel.envelope)

    async def _ask_once(self, question: Question, repeat: int) -> Reply | None:
        try:
            reply = await self._client.ask(question)
        except (NotSent, HostRefused) as error:
            self._end_unsent(error)
        except NoAnswer as error:
            self.said = error.message
            return None
        if reply.status < 500 and not self._vendor.is_in_flight(reply):
            return reply
        self.said = words_of(reply)
        return None

    def _end_unsent(self, error: AppError) -> None:
        """Raise that the provider cannot be reached."""
        self.give_back()
        is_permanent = isinstance(error, HostRefused) and error.facts.get("is_unknown") is not True
        raise EspUnavailable(f"{self._vendor.name}: {error.message}", permanent=is_permanent) from error

    def _results(self, reply: Reply) -> Sequence[Result]:
        count = len(self._parcels)
        if self._vendor.is_duplicate(reply):
            return [Result(Outcome.SENT, 250, text="The provider had taken it before.", is_relayed=True)] * count
        if (results := self._vendor.read(reply, count)) is not None:
            return results
        if reply.status < 300:  # it said yes, in words that we do not know
            return [Result(Outcome.SENT, 250, text=words_of(reply), is_relayed=True)] * count
        return [refused(words_of(reply))] * count

    def _key(self) -> str:
        """One message's own key stays the same for ever; a batch's holds for the repeats of this very call."""
        if not self._vendor.knows_keys:
            return ""
        keys = [parcel.letter.key for parcel in self._parcels]
        return keys[0] if len(keys) == 1 else sha256("\n".join(keys).encode()).hexdigest()


def _retry_after(reply: Reply) -> float | None:
    """Return the seconds that Retry-After names, as a number or a date (RFC 9110, section 10.2.3)."""
    said = reply.headers.get("retry-after", "").strip()
    if said.isdigit():
        return float(said)
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
