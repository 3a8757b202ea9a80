"""May-we-mail, over every combination of states and message classes, against the rule as prose has it."""

from itertools import product
from typing import Final

import pytest

from postroom.core.contacts.rules import may_we_mail
from postroom.core.contacts.types import ConsentState, MailState, MemberStatus, SuppressionReason

CLASSES: Final = ("transactional", "reply", "system", "marketing", "outreach")
CONSENT_FREE: Final = {"transactional", "reply", "system"}
STATES: Final = [
    MailState(
        address="ada@example.com",
        contact_id=1,
        is_erased=erased,
        suppression=suppression,
        is_globally_opted_out=everywhere,
        is_workspace_unsubscribed=here,
        list_status=status,
        consent=consent,
    )
    for erased, suppression, everywhere, here, status, consent in product(
        (False, True),
        (None, *SuppressionReason),
        (False, True),
        (False, True),
        (None, *MemberStatus),
        (None, *ConsentState),
    )
]


def expected(state: MailState, message_class: str, has_list: bool, has_category: bool, allows_prospects: bool) -> bool:
    """The rule said once more, as a list of what forbids a mail."""
    needs_consent = message_class not in CONSENT_FREE
    absent_is_fine = message_class == "outreach" and allows_prospects
    forbidding = (
        state.is_erased,
        state.suppression is not None,
        needs_consent and state.is_globally_opted_out,
        needs_consent and state.is_workspace_unsubscribed,
        needs_consent and has_list and state.list_status != "subscribed",
        needs_consent and has_category and state.consent == "withdrawn",
        needs_consent and has_category and state.consent is None and not absent_is_fine,
    )
    return not any(forbidding)


@pytest.mark.parametrize("message_class", CLASSES)
def test_the_rule_holds_for_every_combination(message_class: str) -> None:
    for state, has_list, has_category, prospects in product(STATES, (False, True), (False, True), (False, True)):
        verdict = may_we_mail(
            state,
            message_class=message_class,
            has_list=has_list,
            has_category=has_category,
            allows_prospects=prospects,
        )
        assert verdict.is_allowed == expected(state, message_class, has_list, has_category, prospects), state
        assert bool(verdict.reason) != verdict.is_allowed


def test_the_reason_is_the_gravest_one() -> None:
    state = MailState(
        address="a@example.com",
        suppression=SuppressionReason.COMPLAINT,
        is_globally_opted_out=True,
        list_status=MemberStatus.UNSUBSCRIBED,
    )
    verdict = may_we_mail(state, message_class="marketing", has_list=True, has_category=False)
    assert verdict.reason == "complaint"
