"""One claim in flight: what of it is still to go, what is on its way, how the rest ended."""

import math
import time
from collections import Counter, deque
from collections.abc import Mapping
from typing import Final

from postroom.core.mail.ports import Handover, Outcome, Result
from postroom.core.mail.rules.brakes import Brake
from postroom.core.mail.rules.compose import CompiledContent
from postroom.core.mail.types import ChunkClaim, Outgoing, Standing, Work
from postroom.kit.errors import AppError
from postroom.workers.journal import ClaimJournal

Contents = Mapping[int, CompiledContent | AppError]
"""What messages are made from, by the content's key; an error where that cannot be compiled."""

MOST_RETURNS: Final = 3
"""How often a message may come back unsent while nothing else of its claim ends: one that makes its server hang up must
not hold up the others for ever.
"""

_NOT_REPEATED: Final = "It may have left before, and the server that would know it again is not the one in use now."


class Run:
    """The messages of one claim; used from the event loop alone until it is over.

    ``brake`` is shared by the runs of a batch in this process: once it is on, nothing more of them leaves.
    """

    def __init__(self, work: Work, contents: Contents, journal: ClaimJournal, brake: Brake | None = None) -> None:
        self.work = work
        self.contents = contents
        self.journal = journal
        self.handovers = [
            Handover(item.message_id, time.time(), None, item.refusal) for item in work.items if item.refusal
        ]
        self._pending = deque(item for item in work.items if not item.refusal)
        self._in_flight = 0
        self._returns: Counter[int] = Counter()
        self._brake = brake
        self._stands_in = work.route_id != (work.home_id or work.sender_id)
        self._good_until = work.good_until.timestamp() if work.good_until is not None else math.inf
        self._is_stopped = False
        self._stopped_batches: frozenset[int] = frozenset()
        self._lost: frozenset[int] = frozenset()

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is on its way and nothing more will go."""
        return self._in_flight == 0 and not self.is_waiting

    @property
    def is_waiting(self) -> bool:
        """Whether there is something to take."""
        return bool(self._pending) and not self._halts()

    def take(self) -> Outgoing | None:
        """Return the next message that may go."""
        while self._pending and not self._halts():
            item = self._pending.popleft()
            if not self._is_ours(item):
                continue
            self._in_flight += 1
            if not self._may_double(item):
                return item
            # What somebody waits for does not wait for the one that knows it: it goes twice rather than never.
            safe_until = 0.0 if self.work.is_urgent else item.safe_until
            self._note(item, Result(Outcome.IN_DOUBT, text=_NOT_REPEATED, safe_until=safe_until))
        return None

    def may_leave(self, item: Outgoing) -> bool:
        """Whether nobody stopped the message, its limits still grant it, and it is still ours."""
        return not self._halts() and self._is_ours(item)

    def _halts(self) -> bool:
        """Whether nothing more of it may leave. Once true it stays true: what a limit granted is given back once."""
        if not self._is_stopped:
            is_braked = self._brake is not None and self._brake.is_on
            self._is_stopped = is_braked or (self._good_until != math.inf and time.time() >= self._good_until)
        return self._is_stopped

    def _is_ours(self, item: Outgoing) -> bool:
        return item.mailing.batch_id not in self._stopped_batches and item.message_id not in self._lost

    def _may_double(self, item: Outgoing) -> bool:
        """Whether a message that may have left before is nothing that the server of this claim would know again."""
        return item.safe_until > 0 and (self._stands_in or time.time() >= item.safe_until)

    def give_back(self, item: Outgoing) -> None:
        """Take a message back that did not leave; it goes next, unless it was stopped, or later if it is back again."""
        self._returns[item.message_id] += 1
        if self._returns[item.message_id] >= MOST_RETURNS and self.may_leave(item):
            self.end(item, Result(Outcome.DEFERRED, text="The connection was lost each time before it could leave."))
            return
        self._in_flight -= 1
        self._pending.appendleft(item)

    def end(self, item: Outgoing, result: Result) -> None:
        """Book how a message ended. What a server knows that stands in is no help to the one that it stands in for."""
        self._note(item, result._replace(safe_until=0.0) if self._stands_in and result.safe_until else result)

    def _note(self, item: Outgoing, result: Result) -> None:
        handover = Handover(item.message_id, time.time(), result)
        self._in_flight -= 1
        if self._returns:
            self._returns.clear()
        self.handovers.append(handover)
        self.journal.note_ending(handover)
        if self._brake is not None and result.code:
            self._brake.note(is_bounced=result.outcome is Outcome.FAILED)

    def stop(self) -> None:
        """Let nothing more of it leave; what is on its way may end."""
        self._is_stopped = True

    def obey(self, standing: Standing) -> None:
        """Stop what is no longer ours and what belongs to a batch that somebody stops."""
        claim = self.work.claim
        self._stopped_batches = standing.stopped_batches
        if isinstance(claim, ChunkClaim):
            is_ours = (claim.chunk_id, claim.attempt) in standing.chunks
            if not is_ours or any(item.mailing.batch_id in standing.stopped_batches for item in self.work.items[:1]):
                self.stop()
        else:
            held = standing.messages
            self._lost = frozenset(
                number for number, attempt in claim.attempts.items() if (number, attempt) not in held
            )
