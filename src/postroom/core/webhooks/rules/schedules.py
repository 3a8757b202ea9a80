"""When a call is made again, and when a webhook is given up: for each door what its clients know."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from postroom.core.webhooks.types import Answer, CallStatus

GONE: Final = 410
_MOST_ASKED: Final = timedelta(hours=1)
"""So long may an answer ask us to stay away (Retry-After)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """``gaps`` between attempts, each changed by up to ``jitter`` of itself (longer, or longer and shorter when
    ``is_even``); seconds to wait for an answer; after how many exhausted calls in a row, or how long without a good
    answer, a webhook is switched off (0: never for that).
    """

    gaps: tuple[timedelta, ...]
    jitter: float
    deadline_s: float
    is_even: bool = False
    off_after_calls: int = 0
    off_after: timedelta = timedelta(0)

    @property
    def attempts(self) -> int:
        """How often a call is made at most."""
        return len(self.gaps) + 1


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer makes of its call, and whether the webhook itself is gone."""

    status: CallStatus
    next_attempt_at: datetime | None = None
    is_gone: bool = False

    @property
    def is_good(self) -> bool:
        """Whether the call was taken."""
        return self.status is CallStatus.DELIVERED

    @property
    def is_exhausted(self) -> bool:
        """Whether the call has used up its attempts."""
        return self.status is CallStatus.FAILED


def _gaps(*seconds: float) -> tuple[timedelta, ...]:
    return tuple(timedelta(seconds=one) for one in seconds)


_USESEND: Final = Terms(gaps=_gaps(5, 10, 20, 40, 80), jitter=0.3, deadline_s=10.0, off_after_calls=30)
_STANDARD: Final = Terms(
    gaps=_gaps(5, 300, 1800, 7200, 18_000, 36_000, 36_000),
    jitter=0.1,
    deadline_s=15.0,
    is_even=True,
    off_after=timedelta(days=5),
)


def terms_of(door: str) -> Terms:
    """Return the terms of a door."""
    return _USESEND if door == "usesend" else _STANDARD


def judge(answer: Answer) -> Verdict:
    """Return what an answer makes of its call: only 2xx is good, a redirect is not followed, 410 ends everything."""
    delivery, terms = answer.delivery, terms_of(answer.delivery.door)
    if 200 <= answer.code < 300:
        return Verdict(CallStatus.DELIVERED)
    if answer.code == GONE:
        return Verdict(CallStatus.FAILED, is_gone=True)
    if delivery.attempts + 1 >= terms.attempts:
        return Verdict(CallStatus.FAILED)
    asked = min(timedelta(seconds=answer.retry_after_s), _MOST_ASKED)
    return Verdict(CallStatus.PENDING, answer.at + max(gap_after(delivery.attempts + 1, terms), asked))


def gap_after(attempts: int, terms: Terms) -> timedelta:
    """Return how long to wait after so many attempts; crowds part by chance."""
    gap = terms.gaps[attempts - 1]
    share = random.uniform(-terms.jitter, terms.jitter) if terms.is_even else random.uniform(0, terms.jitter)
    return gap + gap * share
