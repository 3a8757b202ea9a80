"""How much a limit still lets go: exact over every window of time, however many machines share it.

A limit of N per T counts grants in slots of T/120. A grant may be used until ``USABLE_S`` later, and the clocks of two
machines may differ by ``SKEW_S``; so a grant is given only while all grants of the last T + USABLE_S + SKEW_S, whole
slots, stay within N. What left in any window of T was granted in such a span that ends with the window's last grant, so
no window of T on the wire holds more than N. Beside that hard bound bulk is paced: it leaves evenly, with small bursts.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

from postroom.core.mail.types import Per

USABLE_S: Final = 2.0
SKEW_S: Final = 1.0

SLOTS: Final = 120
BURST_S: Final = 2.0
"""How much of its rate a paced limit lets go at once, in seconds of it."""

RESERVED: Final = 10
"""One in so many is kept for mail that somebody waits for."""

DAY_SPREAD_S: Final = 8 * 3600.0
"""Over how long a number per day is spread, where it is: a working day."""

_SECONDS: Final = {Per.MINUTE: 60.0, Per.HOUR: 3600.0, Per.DAY: 86_400.0}
_EPSILON: Final = 1e-6
_SLOT_EDGE_S: Final = 0.005


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``most`` messages per ``per``; ``is_spread`` says whether a number per day leaves evenly too."""

    most: int
    per: Per
    is_spread: bool = False

    @property
    def period_s(self) -> float:
        """The span it counts in."""
        return _SECONDS[self.per]

    @property
    def slot_s(self) -> float:
        """The length of a slot."""
        return self.period_s / SLOTS

    @property
    def guarded_s(self) -> float:
        """How far back grants count at most: the period, the life of a grant, the clocks, and the slot it is in."""
        return self.period_s + USABLE_S + SKEW_S + self.slot_s

    @property
    def for_bulk(self) -> int:
        """What bulk may use of it."""
        return self.most - self.most // RESERVED

    @property
    def is_paced(self) -> bool:
        """Whether bulk leaves evenly."""
        return self.is_spread or self.per != Per.DAY

    @property
    def burst(self) -> int:
        """How many bulk messages may leave at once: two at least, so that asking a little late loses nothing."""
        spread = max(2, int(self.for_bulk * BURST_S / self._span_s))
        return min(self.for_bulk, spread) if self.is_paced else self.for_bulk

    @property
    def gap_s(self) -> float:
        """The time that a paced bulk message takes up, so that the pace alone stays within the bound."""
        return self._span_s / max(1, self.for_bulk - self.burst + 1)

    @property
    def _span_s(self) -> float:
        return DAY_SPREAD_S if self.per == Per.DAY else self.guarded_s


@dataclass(frozen=True, slots=True)
class Use:
    """What went of a rate: grants per slot up to slot ``newest``, and until when they fill the time at its pace."""

    newest: int = 0
    counts: tuple[int, ...] = ()
    paced_at: float = 0.0


def count_used(rate: Rate, use: Use, at: float) -> int:
    """Return how many grants still count at ``at`` (Unix seconds)."""
    return sum(use.counts[_first_place(rate, use, at) :])


def count_room(rate: Rate, use: Use, at: float, *, is_urgent: bool) -> int:
    """Return how many messages may be granted at ``at``. Urgent ones need not keep the pace and may use the reserve."""
    bound = (rate.most if is_urgent else rate.for_bulk) - count_used(rate, use, at)
    if is_urgent or not rate.is_paced or bound <= 0:
        return max(0, bound)
    ahead_s = max(use.paced_at, at) - at
    return max(0, min(bound, math.floor(rate.burst - ahead_s / rate.gap_s + _EPSILON)))


def take(rate: Rate, use: Use, count: int, at: float) -> Use:
    """Return the use with ``count`` more granted at ``at``; a clock that is behind books where the newest one is."""
    slot = max(math.floor(at / rate.slot_s), use.newest)
    counts = _kept(rate, use, slot)
    counts[-1] += count
    return Use(slot, tuple(counts), max(use.paced_at, at) + count * rate.gap_s)


def give_back(rate: Rate, use: Use, count: int, granted_at: float) -> Use:
    """Return the use without ``count`` of what was granted at ``granted_at`` and never left.

    It comes off the slot of the grant, or off an older one: what is taken off too early is missed, and never exceeds.
    """
    place = len(use.counts) - 1 - (use.newest - math.floor(granted_at / rate.slot_s))
    if not 0 <= place < len(use.counts):
        return use
    counts = list(use.counts)
    back = min(count, counts[place])
    counts[place] -= back
    return replace(use, counts=tuple(counts), paced_at=use.paced_at - back * rate.gap_s)


def next_room_at(rate: Rate, use: Use, wanted: int, at: float, *, is_urgent: bool) -> float:
    """Return when there will be room again, for ``wanted`` or a worthwhile part of them, if nobody else takes it."""
    bound = rate.most if is_urgent else rate.for_bulk
    paced_until = at
    if rate.is_paced and not is_urgent:
        worthwhile = min(wanted, max(1, rate.burst // 2))
        paced_until = use.paced_at + (worthwhile - rate.burst) * rate.gap_s
    left, freed_at = count_used(rate, use, at), at
    for place in range(_first_place(rate, use, at), len(use.counts)):
        if left < bound:
            break
        left -= use.counts[place]
        freed_at = (use.newest - len(use.counts) + 1 + place) * rate.slot_s + rate.guarded_s + _SLOT_EDGE_S
    return max(paced_until, freed_at, at + _SLOT_EDGE_S)


def _first_place(rate: Rate, use: Use, at: float) -> int:
    """Return where in the counts the first slot stands that still counts at ``at``."""
    first = math.floor((at - rate.guarded_s) / rate.slot_s) + 1
    return min(len(use.counts), max(0, len(use.counts) - 1 - (use.newest - first)))


def _kept(rate: Rate, use: Use, slot: int) -> list[int]:
    """Return the counts moved on so that the last is that of ``slot``, no more of them than can still count."""
    length = math.ceil(rate.guarded_s / rate.slot_s) + 1
    gone = slot - use.newest
    counts = [*use.counts, *([0] * gone)] if gone < length else [0]
    return counts[-length:] or [0]
