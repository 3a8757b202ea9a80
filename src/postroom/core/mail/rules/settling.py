"""What a hand-over's end means for the ledger: the next state of a message, and whether it is tried again."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from postroom.core.mail.ports import Handover, Outcome, Result
from postroom.core.mail.rules.refusals import classify, classify_reply
from postroom.core.mail.types import EventType, MessageClass, MessageStatus, RefusalKind
from postroom.kit.types import JSONValue

GIVE_UP_AFTER: Final = timedelta(days=5)
"""How long after its first temporary refusal a message is given up (RFC 5321, section 4.5.4.1: at least 4-5 days).

It may have waited before that: for its hour, for a day's allowance, in a campaign that was paused.
"""

LONGEST_GAP: Final = timedelta(hours=4)

FIRST_GAPS: Final[Mapping[RefusalKind, timedelta]] = {
    RefusalKind.CONNECTION: timedelta(minutes=2),
    RefusalKind.TEMPORARY: timedelta(minutes=5),
    RefusalKind.GREYLISTED: timedelta(minutes=5),
    RefusalKind.RATE_LIMITED: timedelta(minutes=20),
    RefusalKind.MAILBOX_FULL: timedelta(hours=1),
}
"""How long a message waits after its first temporary refusal; after each further one twice as long."""

RESEND_AFTER: Final = timedelta(minutes=1)
"""How long a message that must arrive waits for news before its one repeat."""

REPEAT_AFTER: Final = timedelta(seconds=10)
"""How long a message in doubt waits where its provider knows a repeat by its key and makes no second copy; if that
leaves it in doubt again, it waits ``RESEND_AFTER``.
"""

URGENT_CLASSES: Final = frozenset({MessageClass.TRANSACTIONAL, MessageClass.REPLY, MessageClass.SYSTEM})
"""Mail that somebody waits for: it goes first, and twice rather than never."""


@dataclass(frozen=True, slots=True)
class History:
    """What happened to a message before this hand-over. ``tries`` counts the hand-overs that got an answer, the first
    of them at ``first_attempt_at``. It is in doubt already where ``safe_until`` (Unix seconds) is not 0: its account's
    provider knows it until then.
    """

    message_class: MessageClass
    tries: int = 0
    is_resent: bool = False
    first_attempt_at: datetime | None = None
    safe_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """The next state of a message. ``event`` is what its history gains beside the state itself, with ``record`` of its
    own beside the server's answer; ``kind`` says what it was refused for. In doubt, it may be repeated until
    ``safe_until``, by its own account.
    """

    status: MessageStatus
    next_attempt_at: datetime | None = None
    tries: int = 1
    is_resent: bool = False
    is_bounced: bool = False
    event: EventType | None = None
    kind: RefusalKind | None = None
    record: Mapping[str, JSONValue] = field(default_factory=dict)
    safe_until: datetime | None = None


def judge_handover(handover: Handover, history: History, now: datetime) -> Judgement:
    """Return what the end of a hand-over makes of a message."""
    result = handover.result
    if result is None:
        return Judgement(MessageStatus.SUPPRESSED, tries=history.tries, is_resent=history.is_resent)
    if result.outcome is Outcome.SENT:
        return Judgement(MessageStatus.SENT, tries=history.tries + 1, is_resent=history.is_resent)
    if result.outcome is Outcome.DEFERRED:
        return _judge_deferral(result, history, now)
    if result.outcome is Outcome.FAILED:
        return _judge_refusal(result, history)
    return _judge_doubt(result, history, now)


def find_bad_addresses(result: Result, recipients: Sequence[str]) -> list[str]:
    """Return the recipients that were refused for the address itself, never to be mailed again."""
    if len(recipients) == 1 and classify(result) is RefusalKind.BAD_ADDRESS:
        return list(recipients)
    return [address for address, code, text in result.recipient_replies if _is_bad_address(code, text)]


def retry_gap(kind: RefusalKind, tries: int) -> timedelta:
    """Return how long to wait after temporary refusal number ``tries``, up to a tenth longer so that crowds part."""
    first = FIRST_GAPS.get(kind, FIRST_GAPS[RefusalKind.TEMPORARY])
    gap = min(first * (1 << min(tries - 1, 10)), LONGEST_GAP)
    return gap + gap * random.random() / 10


def _is_bad_address(code: int, text: str) -> bool:
    return code >= 500 and classify_reply(code, "", text) is RefusalKind.BAD_ADDRESS


def _judge_refusal(result: Result, history: History) -> Judgement:
    """A refusal by the other server is a bounce; one that never reached it (code 0) is a failure of our own."""
    kind = classify(result)
    return Judgement(
        MessageStatus.FAILED,
        tries=history.tries + 1,
        is_resent=history.is_resent,
        is_bounced=bool(result.code),
        event=EventType.BOUNCED if result.code else EventType.FAILED,
        kind=kind,
        record={"kind": kind.value} if kind else {},
    )


def _judge_deferral(result: Result, history: History, now: datetime) -> Judgement:
    since = history.first_attempt_at or now
    if now - since >= GIVE_UP_AFTER:
        return _judge_given_up(history, since)
    kind = classify(result) or RefusalKind.TEMPORARY
    tries = history.tries + 1
    return Judgement(
        MessageStatus.DEFERRED,
        # The last try is made when the five days end, and not a gap before.
        next_attempt_at=min(now + retry_gap(kind, tries), since + GIVE_UP_AFTER),
        tries=tries,
        is_resent=history.is_resent,
        event=EventType.DEFERRED,
        kind=kind,
        record={"kind": kind.value},
        safe_until=datetime.fromtimestamp(history.safe_until, UTC) if history.safe_until else None,
    )


def _judge_given_up(history: History, since: datetime) -> Judgement:
    """Return the end of a message that was only ever put off, with what a delivery report says (RFC 3464, RFC 3463
    section 3.5: 4.4.7, delivery time expired).
    """
    tries = history.tries + 1
    record: dict[str, JSONValue] = {
        "kind": RefusalKind.EXPIRED.value,
        "action": "failed",
        "status": "4.4.7",
        "tries": tries,
        "since": since.isoformat(),
    }
    return Judgement(
        MessageStatus.FAILED,
        tries=tries,
        is_resent=history.is_resent,
        event=EventType.FAILED,
        kind=RefusalKind.EXPIRED,
        record=record,
    )


def _judge_doubt(result: Result, history: History, now: datetime) -> Judgement:
    """Repeat at once what cannot arrive twice, once what must arrive; the rest is nobody's to repeat.

    A provider counts from the first time that it was asked, so the earliest date holds.
    """
    until = min(result.safe_until, history.safe_until or result.safe_until)
    if until > now.timestamp():
        return Judgement(
            MessageStatus.DEFERRED,
            next_attempt_at=now + (RESEND_AFTER if history.safe_until else REPEAT_AFTER),
            tries=history.tries,
            is_resent=history.is_resent,
            safe_until=datetime.fromtimestamp(until, UTC),
        )
    if history.message_class in URGENT_CLASSES and not history.is_resent:
        return Judgement(
            MessageStatus.DEFERRED, next_attempt_at=now + RESEND_AFTER, tries=history.tries, is_resent=True
        )
    return Judgement(MessageStatus.IN_DOUBT, tries=history.tries, is_resent=history.is_resent)
