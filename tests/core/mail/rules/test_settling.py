"""What a hand-over's end makes of a message."""

from datetime import timedelta

import pytest

from postroom.core.mail.ports import Handover, Outcome, Result
from postroom.core.mail.rules.settling import (
    GIVE_UP_AFTER,
    History,
    Judgement,
    find_bad_addresses,
    judge_handover,
    retry_gap,
)
from postroom.core.mail.types import EventType, MessageClass, MessageStatus, RefusalKind
from tests.factories import NOW


def judge(result: Result | None, message_class: MessageClass = MessageClass.MARKETING, **history: object) -> Judgement:
    past = History(message_class=message_class, **history)  # type: ignore[arg-type]
    return judge_handover(Handover(1, NOW.timestamp(), result, "" if result else "complaint"), past, NOW)


def test_an_accepted_message_is_sent() -> None:
    assert judge(Result(Outcome.SENT, 250)) == Judgement(MessageStatus.SENT, tries=1)


def test_a_message_our_rule_stopped_is_suppressed_and_counts_no_try() -> None:
    assert judge(None) == Judgement(MessageStatus.SUPPRESSED, tries=0)


def test_a_refusal_for_good_is_a_bounce_and_never_tried_again() -> None:
    verdict = judge(Result(Outcome.FAILED, 550, "5.1.1"))
    assert (verdict.status, verdict.is_bounced, verdict.event) == (MessageStatus.FAILED, True, EventType.BOUNCED)
    assert verdict.next_attempt_at is None


def test_a_message_that_we_cannot_say_failed_but_did_not_bounce() -> None:
    verdict = judge(Result(Outcome.FAILED, 0, text="cannot be rendered"))
    assert (verdict.status, verdict.is_bounced, verdict.event) == (MessageStatus.FAILED, False, EventType.FAILED)


@pytest.mark.parametrize(
    ("kind", "minutes"),
    [
        (RefusalKind.TEMPORARY, [5, 10, 20, 40, 80, 160, 240, 240]),
        (RefusalKind.GREYLISTED, [5, 10, 20, 40, 80, 160, 240, 240]),
        (RefusalKind.CONNECTION, [2, 4, 8, 16, 32, 64, 128, 240]),
        (RefusalKind.RATE_LIMITED, [20, 40, 80, 160, 240, 240, 240, 240]),
        (RefusalKind.MAILBOX_FULL, [60, 120, 240, 240, 240, 240, 240, 240]),
    ],
)
def test_gaps_between_tries_double_by_the_reason_and_stay_within_a_tenth(kind: RefusalKind, minutes: list[int]) -> None:
    for tries, expected in enumerate(minutes, start=1):
        assert timedelta(minutes=expected) <= retry_gap(kind, tries) <= timedelta(minutes=expected * 1.1)


def test_a_temporary_refusal_is_tried_again_until_five_days_are_over() -> None:
    early = judge(Result(Outcome.DEFERRED, 450), tries=2, first_attempt_at=NOW - timedelta(days=1))
    assert (early.status, early.tries, early.event) == (MessageStatus.DEFERRED, 3, EventType.DEFERRED)
    assert early.next_attempt_at is not None
    assert early.next_attempt_at >= NOW + timedelta(minutes=20)
    late = judge(Result(Outcome.DEFERRED, 450), tries=40, first_attempt_at=NOW - GIVE_UP_AFTER)
    assert (late.status, late.event, late.next_attempt_at) == (MessageStatus.FAILED, EventType.FAILED, None)
    assert late.is_bounced is False


def test_the_last_try_is_made_when_the_five_days_end() -> None:
    since = NOW - GIVE_UP_AFTER + timedelta(hours=1)
    verdict = judge(Result(Outcome.DEFERRED, 450), tries=30, first_attempt_at=since)
    assert verdict.next_attempt_at == NOW + timedelta(hours=1)


def test_tries_alone_never_give_a_message_up() -> None:
    assert judge(Result(Outcome.DEFERRED, 450), tries=500, first_attempt_at=NOW).status is MessageStatus.DEFERRED


def test_giving_up_leaves_a_record_like_a_delivery_report() -> None:
    since = NOW - GIVE_UP_AFTER
    verdict = judge(Result(Outcome.DEFERRED, 450), tries=31, first_attempt_at=since)
    assert verdict.record == {
        "kind": "expired",
        "action": "failed",
        "status": "4.4.7",
        "tries": 32,
        "since": since.isoformat(),
    }


def test_doubt_that_a_repeat_cannot_double_is_repeated_at_once_and_does_not_count() -> None:
    safe = Result(Outcome.IN_DOUBT, safe_until=(NOW + timedelta(minutes=30)).timestamp())
    verdict = judge(safe, MessageClass.MARKETING, tries=2)
    assert (verdict.status, verdict.tries, verdict.is_resent) == (MessageStatus.DEFERRED, 2, False)
    assert verdict.next_attempt_at == NOW + timedelta(seconds=10)
    stale = Result(Outcome.IN_DOUBT, safe_until=NOW.timestamp())
    assert judge(stale, MessageClass.MARKETING).status is MessageStatus.IN_DOUBT


def test_a_provider_counts_from_the_first_time_it_was_asked() -> None:
    first, later = (NOW + timedelta(minutes=minutes) for minutes in (5, 30))
    safe = Result(Outcome.IN_DOUBT, safe_until=later.timestamp())
    again = judge(safe, MessageClass.MARKETING, safe_until=first.timestamp())
    assert (again.status, again.safe_until) == (MessageStatus.DEFERRED, first)
    put_off = judge(Result(Outcome.DEFERRED), MessageClass.MARKETING, safe_until=first.timestamp())
    assert (put_off.status, put_off.safe_until) == (MessageStatus.DEFERRED, first)
    gone = judge(safe, MessageClass.MARKETING, safe_until=NOW.timestamp() - 1)
    assert (gone.status, gone.safe_until) == (MessageStatus.IN_DOUBT, None)
    urgent = judge(safe, MessageClass.TRANSACTIONAL, safe_until=NOW.timestamp() - 1)
    assert (urgent.status, urgent.is_resent, urgent.safe_until) == (MessageStatus.DEFERRED, True, None)


@pytest.mark.parametrize("message_class", [MessageClass.MARKETING, MessageClass.OUTREACH])
def test_bulk_mail_in_doubt_is_parked(message_class: MessageClass) -> None:
    assert judge(Result(Outcome.IN_DOUBT), message_class).status is MessageStatus.IN_DOUBT


@pytest.mark.parametrize("message_class", [MessageClass.TRANSACTIONAL, MessageClass.REPLY, MessageClass.SYSTEM])
def test_mail_that_somebody_waits_for_is_repeated_once_after_doubt(message_class: MessageClass) -> None:
    first = judge(Result(Outcome.IN_DOUBT), message_class)
    assert (first.status, first.is_resent) == (MessageStatus.DEFERRED, True)
    assert judge(Result(Outcome.IN_DOUBT), message_class, is_resent=True).status is MessageStatus.IN_DOUBT


def test_of_several_recipients_only_the_refused_address_is_bad() -> None:
    result = Result(Outcome.SENT, 250, recipient_replies=(("b@example.com", 550, "5.1.1 no such user"),))
    assert find_bad_addresses(result, ["a@example.com", "b@example.com"]) == ["b@example.com"]
