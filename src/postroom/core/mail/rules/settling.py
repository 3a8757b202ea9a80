"""What a hand-over's end means for the ledger: the next state of a message, and whether it is tried again."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from postroom.core.mail.ports import Handover, Outcome, Result
from postroom.core.mail.types import EventType, MessageClass, MessageStatus

RETRY_GAPS: Final = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 120, 240, 480))
"""How long a message waits after its first, second … temporary refusal; the last gap repeats."""

LAST_TRY: Final = 21
"""The temporary refusal that is the last one. RFC 5321, section 4.5.4.1: the give-up time needs to be at least 4-5
days; with these gaps it is a little more than five. Tries are counted and not days since the message came, for it may
have waited: for its hour, for a day's allowance, in a campaign that was paused.
"""

RESEND_AFTER: Final = timedelta(minutes=1)
"""How long a message that must arrive waits for news before its one repeat."""

URGENT_CLASSES: Final = frozenset({MessageClass.TRANSACTIONAL, MessageClass.REPLY, MessageClass.SYSTEM})
"""Mail that somebody waits for: it goes first, and twice rather than never."""


@dataclass(frozen=True, slots=True)
class History:
    """What happened to a message before this hand-over. ``tries`` counts the hand-overs that got an answer."""

    message_class: MessageClass
    tries: int = 0
    is_resent: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """The next state of a message. ``event`` is what its history gains beside the state itself."""

    status: MessageStatus
    next_attempt_at: datetime | None = None
    tries: int = 1
    is_resent: bool = False
    is_bounced: bool = False
    event: EventType | None = None


def judge_handover(handover: Handover, history: History, now: datetime) -> Judgement:
    """Return what the end of a hand-over makes of a message."""
    result = handover.result
    if result is None:
        return Judgement(MessageStatus.SUPPRESSED, tries=history.tries, is_resent=history.is_resent)
    if result.outcome is Outcome.SENT:
        return Judgement(MessageStatus.SENT, tries=history.tries + 1, is_resent=history.is_resent)
    if result.outcome is Outcome.DEFERRED:
        return _judge_deferral(history, now)
    if result.outcome is Outcome.FAILED:
        # A refusal by the other server is a bounce; one that never reached it (code 0) is a failure of our own.
        event = EventType.BOUNCED if result.code else EventType.FAILED
        return Judgement(
            MessageStatus.FAILED,
            tries=history.tries + 1,
            is_resent=history.is_resent,
            is_bounced=bool(result.code),
            event=event,
        )
    return _judge_doubt(history, now)


def find_bad_addresses(result: Result, recipients: Sequence[str]) -> list[str]:
    """Return the recipients whose refusal is about the address itself (RFC 3463, section 3.2), never to be mailed."""
    bad = [address for address, _, text in result.recipient_replies if text.startswith("5.1.")]
    is_alone = len(recipients) == 1 and result.outcome is Outcome.FAILED
    return list(recipients) if is_alone and result.enhanced.startswith("5.1.") else bad


def says_bad_sender(result: Result) -> bool:
    """Whether a refusal is about us (RFC 3463, section 3.8: security or policy), so the next one would be too."""
    return result.outcome is Outcome.FAILED and result.enhanced.startswith("5.7.")


def retry_gap(tries: int) -> timedelta:
    """Return how long to wait after temporary refusal number ``tries``, up to a tenth longer so that crowds part."""
    gap = RETRY_GAPS[min(tries, len(RETRY_GAPS)) - 1]
    return gap + gap * random.random() / 10


def _judge_deferral(history: History, now: datetime) -> Judgement:
    tries = history.tries + 1
    if tries >= LAST_TRY:
        return Judgement(MessageStatus.FAILED, tries=tries, is_resent=history.is_resent, event=EventType.FAILED)
    return Judgement(
        MessageStatus.DEFERRED,
        next_attempt_at=now + retry_gap(tries),
        tries=tries,
        is_resent=history.is_resent,
        event=EventType.DEFERRED,
    )


def _judge_doubt(history: History, now: datetime) -> Judgement:
    if history.message_class in URGENT_CLASSES and not history.is_resent:
        return Judgement(
            MessageStatus.DEFERRED, next_attempt_at=now + RESEND_AFTER, tries=history.tries, is_resent=True
        )
    return Judgement(MessageStatus.IN_DOUBT, tries=history.tries, is_resent=history.is_resent)
