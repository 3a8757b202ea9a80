"""Letters: words that wait until a sender takes the message, and are frozen then, many at a time."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.core.mail import selectors
from postroom.core.mail import services as mail
from postroom.core.mail.models import Content, DeliveryEvent, Letter, Message, Template
from postroom.core.mail.ports import Handover, JournalReading, Outcome, Result
from postroom.core.mail.rules.compose import freezing
from postroom.core.mail.services import letters as freezer
from postroom.core.mail.types import (
    Composition,
    MessagesClaim,
    MessageStatus,
    NewTemplate,
    Submission,
    SubmitRequest,
    Work,
)
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit.html import inline_styles
from tests.factories import NOW, make_workspace

pytestmark = pytest.mark.django_db

LETTER = Submission(
    from_address="Shop <shop@acme.example>",
    to=("ann@example.com",),
    subject="Order {{ 1 }}",
    html='<p>Thanks, {{ name }} <a href="https://acme.example/">here</a></p>',
)


def letter(number: int) -> Submission:
    return Submission(
        from_address="shop@acme.example",
        to=(f"p{number}@example.com",),
        subject=f"Order {number}",
        text=f"No. {number}",
    )


def submit(workspace: Workspace, letters: Sequence[Submission]) -> None:
    mail.submit_messages(workspace=workspace, submissions=letters, actor=SYSTEM, now=NOW)


def claim(owner: str = "one") -> Work | None:
    return mail.claim_work(owner=owner, now=NOW + timedelta(seconds=1))


def sent(work: Work) -> list[Handover]:
    return [Handover(item.message_id, NOW.timestamp(), Result(Outcome.SENT, 250)) for item in work.items]


def finish(work: Work, handovers: Sequence[Handover]) -> None:
    assert isinstance(work.claim, MessagesClaim)
    mail.finish_messages(claim=work.claim, handovers=handovers, now=NOW + timedelta(seconds=2))


def test_words_are_kept_as_they_are_until_a_sender_takes_them_and_read_the_same_before_and_after() -> None:
    workspace = make_workspace()
    submit(workspace, [LETTER, LETTER])
    assert Message.objects.filter(content=None).count() == Letter.objects.count() == 2
    assert Content.objects.count() == 0
    before = selectors.show_messages(messages=list(Message.objects.all()))
    work = claim()
    assert work is not None
    assert (Letter.objects.count(), Content.objects.count()) == (0, 1)
    after = selectors.show_messages(messages=list(Message.objects.all()))
    assert before == after
    assert {(one.subject, "{{ name }}" in one.html) for one in after.values()} == {("Order {{ 1 }}", True)}
    assert "https://acme.example/" in next(iter(after.values())).text


def test_a_letter_that_is_frozen_while_it_is_shown_is_shown_all_the_same() -> None:
    submit(make_workspace(), [LETTER])
    read = list(Message.objects.all())  # without a content yet
    before = selectors.show_messages(messages=read)
    assert claim() is not None
    assert selectors.show_messages(messages=read) == before


def test_showing_many_takes_the_same_few_statements_whatever_they_are() -> None:
    workspace = make_workspace()
    submit(workspace, [letter(number) for number in range(3)])
    claim()
    submit(workspace, [letter(number) for number in range(3, 6)])
    rows = list(Message.objects.all())
    with CaptureQueriesContext(connection) as few:
        selectors.show_messages(messages=[rows[0], rows[5]])
    with CaptureQueriesContext(connection) as many:
        assert len(selectors.show_messages(messages=rows)) == 6
    assert len(many) == len(few) <= 4


def test_a_claim_takes_the_same_few_statements_however_many_letters_it_freezes() -> None:
    counts = []
    for size in (2, 90):
        workspace = make_workspace()
        submit(workspace, [letter(number) for number in range(size)])
        with CaptureQueriesContext(connection) as captured:
            work = claim()
        assert work is not None
        assert len(work.items) == size
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_a_letter_that_makes_no_message_fails_with_the_reason_and_keeps_nobody_back() -> None:
    workspace = make_workspace()
    new = NewTemplate(name="Hi", composition=Composition(subject="Hi", body="<p>Hi</p>"))
    template = mail.create_template(workspace=workspace, new=new, actor=SYSTEM, now=NOW)
    by_template = Submission(from_address="shop@acme.example", to=("bob@example.com",), template_uid=template.uid)
    submit(workspace, [letter(1), by_template, letter(2)])
    Template.objects.update(body="{% include 'x' %}")
    work = claim()
    assert work is not None
    assert len(work.items) == 2
    failed = Message.objects.get(status=MessageStatus.FAILED)
    assert (failed.to, failed.owner, failed.content_id) == (["bob@example.com"], "", None)
    assert failed.reply_text
    event = DeliveryEvent.objects.get(message_id=failed.pk)
    assert (event.type, event.data["error"]) == ("failed", failed.reply_text)
    finish(work, sent(work))
    assert Message.objects.filter(status=MessageStatus.SENT).count() == 2
    assert selectors.show_message(message=failed).html == ""


def test_a_letter_that_a_parser_stumbles_over_keeps_nobody_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(html: str) -> str:
        if "odd" in html:
            raise RecursionError
        return inline_styles(html)

    monkeypatch.setattr(freezing, "inline_styles", stumble)
    deep = replace(LETTER, html="<div>" * 60_000, to=("deep@example.com",))
    submit(make_workspace(), [LETTER, replace(LETTER, html="<p>odd</p>", to=("odd@example.com",)), deep])
    work = claim()
    assert work is not None
    assert [item.to for item in work.items] == [("ann@example.com",)]
    failed = Message.objects.filter(status=MessageStatus.FAILED).order_by("pk")
    assert [row.to for row in failed] == [["odd@example.com"], ["deep@example.com"]]
    assert all(row.reply_text for row in failed)


def test_a_claim_leaves_the_letters_it_has_no_time_for_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freezer, "FREEZING_S", 0.0)
    submit(make_workspace(), [letter(number) for number in range(3)])
    taken = []
    for number in range(3):
        work = claim(f"sender {number}")
        assert work is not None
        taken += [item.to for item in work.items]
        assert len(taken) == number + 1
        finish(work, sent(work))
    assert Message.objects.filter(status=MessageStatus.SENT).count() == 3


def test_a_sender_killed_behind_the_freezing_leaves_letters_that_are_sent_once_by_the_next() -> None:
    workspace = make_workspace()
    submit(workspace, [letter(number) for number in range(20)])
    held = claim("dead")
    assert held is not None
    contents = dict(Message.objects.values_list("pk", "content_id"))
    gone = sent(held)[:5]  # these left, and the journal knows it
    journal = JournalReading(entries={one.message_id: one for one in gone}, is_complete=True)
    mail.recover_claims(owner="dead", journal=journal, now=NOW + timedelta(seconds=2))
    work = mail.claim_work(owner="next", now=NOW + timedelta(seconds=3))
    assert work is not None
    assert {item.message_id for item in work.items} == contents.keys() - {one.message_id for one in gone}
    finish(work, sent(work))
    assert Message.objects.filter(status=MessageStatus.SENT).count() == 20
    assert dict(Message.objects.values_list("pk", "content_id")) == contents


@pytest.mark.parametrize("total", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_letters_with_words_of_their_own_are_sent_once_each(total: int) -> None:
    workspace, step = make_workspace(), 500
    for first in range(0, total, step):
        parts = [letter(number) for number in range(first, first + step)]
        requests = [SubmitRequest(workspace.pk, SYSTEM, parts[at : at + 10]) for at in range(0, step, 10)]
        assert all(isinstance(one, list) for one in mail.submit_requests(requests=requests, now=NOW))
    seen: set[int] = set()
    chance = random.Random(5)
    while work := claim():
        numbers = {item.message_id for item in work.items}
        if chance.random() < 0.1:  # this sender dies, and nothing of its claim had left
            mail.recover_claims(owner="one", journal=JournalReading(entries={}, is_complete=True), now=NOW)
            continue
        assert not numbers & seen
        seen |= numbers
        finish(work, sent(work))
    assert len(seen) == Message.objects.filter(status=MessageStatus.SENT).count() == total
    assert Content.objects.count() == total
    assert Letter.objects.count() == 0
