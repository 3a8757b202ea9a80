"""May-we-mail, over every combination of states and message classes, against the rule as a table has it.

The table is written from section 2 of docs/model.md and from decision 0018; it shares nothing with the rule but words.
"""

from collections.abc import Callable
from itertools import product
from typing import Final, NamedTuple

import pytest

from postroom.core.contacts.rules import may_we_mail
from postroom.core.contacts.types import ConsentState, MailState, MemberStatus, SuppressionReason

CLASSES: Final = ("transactional", "reply", "system", "marketing", "outreach")
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


class Mail(NamedTuple):
    """A piece of mail: its class, what it rests on, and the workspace's setting for prospects."""

    message_class: str
    has_list: bool
    has_category: bool
    allows_prospects: bool


class Line(NamedTuple):
    """One line of the table: what is so, which classes of mail it stops, and the word for it."""

    is_so: Callable[[MailState, Mail], bool]
    stops: frozenset[str]
    word: str


EVERYTHING: Final = frozenset(CLASSES)
WANTED_ONLY: Final = frozenset({"marketing", "outreach"})

# The gravest first: the first line that is so and stops the class is the answer.
TABLE: Final = (
    Line(lambda s, m: s.is_erased, EVERYTHING, "erased"),
    Line(lambda s, m: s.suppression == "erased", EVERYTHING, "erased"),
    Line(lambda s, m: s.suppression == "complaint", EVERYTHING, "complaint"),
    Line(lambda s, m: s.suppression == "hard_bounce", EVERYTHING, "hard_bounce"),
    Line(lambda s, m: s.suppression == "banned", EVERYTHING, "banned"),
    Line(lambda s, m: s.suppression == "manual", EVERYTHING, "manual"),
    Line(lambda s, m: s.suppression == "unsubscribed", WANTED_ONLY, "unsubscribed"),
    Line(lambda s, m: s.is_globally_opted_out, WANTED_ONLY, "opted_out_everywhere"),
    Line(lambda s, m: s.is_workspace_unsubscribed, WANTED_ONLY, "opted_out"),
    Line(lambda s, m: m.has_list and s.list_status is None, WANTED_ONLY, "not_on_list"),
    Line(lambda s, m: m.has_list and s.list_status == "pending", WANTED_ONLY, "not_on_list"),
    Line(lambda s, m: m.has_list and s.list_status == "unsubscribed", WANTED_ONLY, "not_on_list"),
    Line(lambda s, m: m.has_category and s.consent == "withdrawn", WANTED_ONLY, "consent_withdrawn"),
    Line(lambda s, m: m.has_category and s.consent is None, frozenset({"marketing"}), "no_consent"),
    Line(
        lambda s, m: m.has_category and s.consent is None and not m.allows_prospects,
        frozenset({"outreach"}),
        "no_consent",
    ),
)


def expected(state: MailState, mail: Mail) -> str:
    """Return the table's word, empty when the mail may go."""
    return next((line.word for line in TABLE if mail.message_class in line.stops and line.is_so(state, mail)), "")


@pytest.mark.parametrize("message_class", CLASSES)
def test_the_rule_says_what_the_table_says_for_every_combination(message_class: str) -> None:
    for state, *rests_on in product(STATES, (False, True), (False, True), (False, True)):
        mail = Mail(message_class, *rests_on)
        verdict = may_we_mail(
            state,
            message_class=message_class,
            has_list=mail.has_list,
            has_category=mail.has_category,
            allows_prospects=mail.allows_prospects,
        )
        assert (verdict.is_allowed, verdict.reason) == (not expected(state, mail), expected(state, mail)), (state, mail)


def test_the_combinations_are_all_there() -> None:
    assert len(STATES) == 2 * 7 * 2 * 2 * 4 * 3
    assert len(STATES) * len(CLASSES) * 2 * 2 * 2 == 26_880


def test_every_line_of_the_table_decides_something() -> None:
    deciding = {
        (line.word, message_class)
        for message_class in CLASSES
        for line in TABLE
        if message_class in line.stops
        for state in STATES
        if expected(state, Mail(message_class, True, True, False)) == line.word
    }
    assert {word for word, _ in deciding} == {line.word for line in TABLE}


def test_an_opt_out_kept_as_a_suppression_leaves_letters_they_caused_alone() -> None:
    state = MailState(address="a@example.com", suppression=SuppressionReason.UNSUBSCRIBED)
    allowed = {
        one for one in CLASSES if may_we_mail(state, message_class=one, has_list=False, has_category=False).is_allowed
    }
    assert allowed == {"transactional", "reply", "system"}
