"""What a hand-over's end makes of a message."""

from datetime import timedelta

import pytest

from postroom.core.mail.ports import Handover, Outcome, Result
from postroom.core.mail.rules.settling import (
    LAST_TRY,
    History,
    Judgement,
    find_bad_addresses,
    judge_handover,
    retry_gap,
    says_bad_sender,
)
from postroom.core.mail.types import EventType, MessageClass, MessageStatus
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


def test_gaps_between_tries_grow_and_stay_within_a_tenth() -> None:
    gaps = [retry_gap(tries) for tries in range(1, 9)]
    minutes = [5, 15, 60, 120, 240, 480, 480, 480]
    for gap, expected in zip(gaps, minutes, strict=True):
        assert timedelta(minutes=expected) <= gap <= timedelta(minutes=expected * 1.1)


def test_a_temporary_refusal_is_tried_again_until_five_days_are_over() -> None:
    early = judge(Result(Outcome.DEFERRED, 450), tries=2)
    assert (early.status, early.tries, early.event) == (MessageStatus.DEFERRED, 3, EventType.DEFERRED)
    assert early.next_attempt_at is not None
    assert early.next_attempt_at >= NOW + timedelta(hours=1)
    assert sum((retry_gap(tries) for tries in range(1, LAST_TRY)), timedelta()) >= timedelta(days=5)
    assert judge(Result(Outcome.DEFERRED, 450), tries=LAST_TRY - 2).status is MessageStatus.DEFERRED
    late = judge(Result(Outcome.DEFERRED, 450), tries=LAST_TRY - 1)
    assert (late.status, late.event, late.next_attempt_at) == (MessageStatus.FAILED, EventType.FAILED, None)


@pytest.mark.parametrize("message_class", [MessageClass.MARKETING, MessageClass.OUTREACH])
def test_bulk_mail_in_doubt_is_parked(message_class: MessageClass) -> None:
    assert judge(Result(Outcome.IN_DOUBT), message_class).status is MessageStatus.IN_DOUBT


@pytest.mark.parametrize("message_class", [MessageClass.TRANSACTIONAL, MessageClass.REPLY, MessageClass.SYSTEM])
def test_mail_that_somebody_waits_for_is_repeated_once_after_doubt(message_class: MessageClass) -> None:
    first = judge(Result(Outcome.IN_DOUBT), message_class)
    assert (first.status, first.is_resent) == (MessageStatus.DEFERRED, True)
    assert judge(Result(Outcome.IN_DOUBT), message_class, is_resent=True).status is MessageStatus.IN_DOUBT


@pytest.mark.parametrize(
    ("enhanced", "bad", "is_sender"),
    [("5.1.1", ["a@example.com"], False), ("5.7.1", [], True), ("5.2.2", [], False), ("", [], False)],
)
def test_only_an_address_refusal_suppresses_and_only_a_policy_refusal_flags_the_sender(
    enhanced: str, bad: list[str], is_sender: bool
) -> None:
    result = Result(Outcome.FAILED, 550, enhanced)
    assert find_bad_addresses(result, ["a@example.com"]) == bad
    assert says_bad_sender(result) is is_sender


def test_of_several_recipients_only_the_refused_address_is_bad() -> None:
    result = Result(Outcome.SENT, 250, recipient_replies=(("b@example.com", 550, "5.1.1 no such user"),))
    assert find_bad_addresses(result, ["a@example.com", "b@example.com"]) == ["b@example.com"]
