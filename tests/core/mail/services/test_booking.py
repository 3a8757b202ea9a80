"""Booking a chunk: what simply went well takes a short way into the ledger, and it leads to the same rows."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.forms.models import model_to_dict
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from postroom.core.mail import services as mail
from postroom.core.mail.models import Message
from postroom.core.mail.ports import Handover, JournalReading, Outcome, Result
from postroom.core.mail.rules.settling import History, judge_handover
from postroom.core.mail.services import ledger
from postroom.core.mail.types import ChunkClaim, MessageClass, MessageStatus, Provider, Work
from tests.core.mail.services.bulk import OWNER, claim, freeze, hand_over, hand_over_all, make_mailing
from tests.factories import NOW, make_workspace
from tests.ledger import make_message, make_sender

pytestmark = pytest.mark.django_db

RELAYED = Result(Outcome.SENT, 202, "", "taken", "id-1", is_relayed=True)


def book(work: Work, handovers: list[Handover]) -> None:
    assert isinstance(work.claim, ChunkClaim)
    assert mail.finish_chunk(claim=work.claim, handovers=handovers, now=NOW)


@pytest.mark.parametrize("result", [Result(Outcome.SENT, 250, "2.0.0", 'quo"ted \\ text'), RELAYED])
def test_the_short_way_and_the_long_one_lead_to_the_same_row(result: Result) -> None:
    freeze(make_mailing(people=2))
    work = claim()
    short, long = (Handover(item.message_id, NOW.timestamp() + 0.25, result) for item in work.items)
    place = ledger.Place(work.items[0].mailing.batch_id or 0, 0, 1, "example.com")
    ledger.append_sent(place=place, handovers=[short])
    judged = judge_handover(long, History(message_class=MessageClass.MARKETING), NOW)
    ledger.append_rows(place=place, settled=[ledger.Settled(long, judged)])
    one, other = (model_to_dict(row) for row in Message.objects.order_by("pk"))
    own = ("id", "to", "contact", "message_id_header")
    assert {name: one[name] for name in one if name not in own} == {
        name: other[name] for name in other if name not in own
    }
    assert one["status"] == MessageStatus.SENT


def test_what_a_provider_took_is_sent_and_not_delivered_yet() -> None:
    freeze(make_mailing(people=1))
    book(work := claim(), hand_over_all(work, RELAYED))
    row = Message.objects.get()
    assert (row.status, row.sent_at, row.delivered_at, row.provider_id) == ("sent", NOW, None, "id-1")


def test_a_single_message_that_a_provider_took_is_sent_and_not_delivered_yet() -> None:
    row = make_message(workspace=make_workspace(), status="queued", sent_at=None, next_attempt_at=NOW, priority=0)
    work = claim()
    mail.finish_messages(claim=work.claim, handovers=hand_over_all(work, RELAYED), now=NOW)  # type: ignore[arg-type]
    row.refresh_from_db()
    assert (row.status, row.sent_at, row.delivered_at, row.first_attempt_at) == ("sent", NOW, None, NOW)


@pytest.mark.parametrize("outcome", [Outcome.SENT, Outcome.FAILED, Outcome.DEFERRED])
def test_whatever_a_server_says_can_be_written_down(outcome: Outcome) -> None:
    freeze(make_mailing(people=1))
    said = "half a smile \ud83d and a NUL \0"
    result = Result(outcome, 550, "5.0.0", said, said, (("x@y.example", 550, said),), said, said)
    book(work := claim(), hand_over_all(work, result))
    assert Message.objects.get().reply_text.startswith("half a smile ?")


def test_doubt_is_no_attempt_that_got_an_answer() -> None:
    freeze(make_mailing(people=1))
    book(work := claim(), hand_over_all(work, Result(Outcome.IN_DOUBT)))
    assert Message.objects.get().first_attempt_at is None


def count_statements(people: int, settings: Settings) -> tuple[int, int]:
    """Return how many statements it takes to claim, and to book, a chunk of so many people."""
    settings.SENDER_CHUNK_SIZE = 1000
    freeze(make_mailing(people=people))
    with CaptureQueriesContext(connection) as claiming:
        work = claim()
    with CaptureQueriesContext(connection) as booking:
        book(work, hand_over_all(work))
    return len(claiming), len(booking)


def test_claiming_and_booking_take_the_same_few_statements_whatever_the_size(settings: Settings) -> None:
    few, many = count_statements(2, settings), count_statements(40, settings)
    assert few[1] == many[1]
    assert max(*few, *many) <= 12  # a claim takes one more when it looks for single messages first, which is by chance


def test_a_chunk_that_went_back_gives_only_those_who_were_not_booked(settings: Settings) -> None:
    settings.SENDER_CHUNK_SIZE = 10
    freeze(make_mailing(people=4))
    first = claim()
    book(first, [hand_over(item.message_id) for item in first.items[1:3]])
    second = claim()
    assert [item.message_id for item in second.items] == [first.items[0].message_id, first.items[3].message_id]
    book(second, hand_over_all(second))
    assert Message.objects.count() == 4


def test_doubt_that_a_dead_sender_leaves_with_a_provider_that_knows_keys_is_harmless_for_a_while() -> None:
    workspace = make_workspace()
    sender = make_sender(workspace=workspace)
    sender.provider = Provider.RESEND
    sender.save()
    freeze(make_mailing(people=1, workspace=workspace, sender=sender))
    work = claim()
    journal = JournalReading(entries={work.items[0].message_id: None}, is_complete=True)
    mail.recover_claims(owner=OWNER, journal=journal, now=NOW + timedelta(minutes=1))
    row = Message.objects.get()
    assert (row.status, row.is_resent) == ("deferred", False)


def test_until_when_a_repeat_is_harmless_is_written_down_and_kept_until_there_is_an_answer() -> None:
    freeze(make_mailing(people=1))
    safe_until = NOW + timedelta(minutes=25)
    book(work := claim(), hand_over_all(work, Result(Outcome.IN_DOUBT, safe_until=safe_until.timestamp())))
    assert Message.objects.get().safe_until == safe_until
    for outcome, kept in (
        (None, safe_until),
        (Result(Outcome.IN_DOUBT, safe_until=safe_until.timestamp() + 60), safe_until),
        (RELAYED, None),
    ):
        Message.objects.update(next_attempt_at=NOW)
        work = claim()
        assert work.items[0].safe_until == safe_until.timestamp()
        handovers = hand_over_all(work, outcome) if outcome else []
        mail.finish_messages(claim=work.claim, handovers=handovers, now=NOW)  # type: ignore[arg-type]
        assert Message.objects.get().safe_until == kept
    assert Message.objects.get().status == "sent"


def test_a_living_sender_keeps_what_it_knows_of_and_gives_back_what_it_does_not() -> None:
    freeze(make_mailing(people=2))
    work = claim()
    make_message(workspace=make_workspace(), status="queued", sent_at=None, next_attempt_at=NOW, priority=0)
    single = claim()
    assert mail.put_back_unknown(owner=OWNER, known=[work], now=NOW) == 1
    standing = mail.check_claims(owner=OWNER)
    assert (len(standing.chunks), len(standing.messages)) == (1, 0)
    assert mail.put_back_unknown(owner=OWNER, known=[work, replace(single)], now=NOW) == 0
    assert mail.put_back_unknown(owner=OWNER, known=[], now=NOW) == 1
    assert Message.objects.filter(status="queued").count() == 1


def test_the_journal_of_one_who_was_given_up_still_settles_what_it_knows() -> None:
    workspace = make_workspace()
    freeze(make_mailing(people=3, workspace=workspace))
    urgent = make_message(
        workspace=workspace,
        message_class="transactional",
        status="queued",
        sent_at=None,
        next_attempt_at=NOW,
        priority=0,
    )
    single, chunk = claim(), claim()
    mail.abandon_claims(owner=OWNER, now=NOW)
    assert set(Message.objects.values_list("status", flat=True)) == {"in_doubt", "deferred"}
    sent, refused, unknown = chunk.items
    entries = {
        urgent.pk: hand_over(single.items[0].message_id),
        sent.message_id: hand_over(sent.message_id),
        refused.message_id: hand_over(refused.message_id, Result(Outcome.DEFERRED, 450, "4.2.1", "later")),
        unknown.message_id: None,
    }
    journal = JournalReading(entries=entries, is_complete=True)
    for _ in range(2):
        assert mail.recover_claims(owner=OWNER, journal=journal, now=NOW + timedelta(hours=1)) == 0
    states = dict(Message.objects.values_list("pk", "status"))
    assert states == {
        urgent.pk: "sent",
        sent.message_id: "sent",
        refused.message_id: "in_doubt",
        unknown.message_id: "in_doubt",
    }
    urgent.refresh_from_db()
    assert (urgent.sent_at, urgent.next_attempt_at, urgent.tries) == (NOW, None, 1)
