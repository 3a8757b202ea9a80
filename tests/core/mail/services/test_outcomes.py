"""What follows from refusals: who is suppressed, what an account is told, when its campaigns stop, who gets a rest."""

from datetime import datetime, timedelta

import pytest
from pytest_django import Settings

from postroom.core.contacts.models import Suppression
from postroom.core.events.models import DomainEvent
from postroom.core.mail import services as mail
from postroom.core.mail.models import Batch, Chunk, DeliveryEvent, DestinationRest, Message, SenderAccount
from postroom.core.mail.ports import Handover, Outcome, Result
from postroom.core.mail.selectors import list_rests
from postroom.core.mail.services.rests import FIRST_REST
from postroom.core.mail.types import BatchStatus, ChunkClaim, MessagesClaim, MessageStatus
from tests.core.mail.services.bulk import OWNER, Mailing, claim, freeze, make_mailing
from tests.factories import NOW

pytestmark = pytest.mark.django_db

SENT = Result(Outcome.SENT, 250, "2.0.0", "Ok")
SET_UP = Result(Outcome.FAILED, 550, "5.7.515", "Access denied, sending domain does not meet the required level")
SLOW = Result(Outcome.DEFERRED, 421, "4.7.28", "unusual rate of unsolicited mail")


def send(mailing: Mailing, *results: Result, now: datetime = NOW) -> None:
    """Claim the next chunk and end it with these results, one for each of its messages; what was put off stays so."""
    Message.objects.filter(status=MessageStatus.DEFERRED).update(next_attempt_at=now + timedelta(days=1))
    work = mail.claim_work(owner=OWNER, now=now)
    assert work is not None
    assert isinstance(work.claim, ChunkClaim)
    ended = [
        Handover(item.message_id, now.timestamp(), result) for item, result in zip(work.items, results, strict=True)
    ]
    assert mail.finish_chunk(claim=work.claim, handovers=ended, now=now)


def said(mailing: Mailing) -> SenderAccount:
    return SenderAccount.objects.get(pk=mailing.sender.pk)


@pytest.mark.parametrize(
    ("result", "suppressed", "told"),
    [
        (Result(Outcome.FAILED, 550, "5.1.1", "no such user"), 1, ""),
        (Result(Outcome.FAILED, 550, "", "User unknown"), 1, ""),
        (Result(Outcome.FAILED, 552, "", "Mailbox full"), 0, ""),
        (Result(Outcome.FAILED, 554, "5.7.1", "Spam message rejected"), 0, "what it says"),
        (Result(Outcome.FAILED, 550, "5.7.1", "blocked using zen.spamhaus.org"), 0, "block lists"),
        (SET_UP, 0, "Microsoft"),
        (Result(Outcome.FAILED, 550, "5.1.8", "Sender address rejected"), 0, "sender domain"),
    ],
)
def test_only_a_bad_address_is_suppressed_and_what_blames_us_is_said_at_the_account(
    result: Result, suppressed: int, told: str
) -> None:
    mailing = freeze(make_mailing(people=1))
    send(mailing, result)
    row = Message.objects.get()
    assert (row.status, row.tries, row.next_attempt_at) == (MessageStatus.FAILED, 1, None)
    assert Suppression.objects.count() == suppressed
    assert (told in said(mailing).last_error) if told else said(mailing).last_error == ""


def test_ten_refusals_in_a_row_that_blame_our_set_up_pause_the_account_s_campaigns(settings: Settings) -> None:
    settings.SENDER_CHUNK_SIZE = 5
    mailing = freeze(make_mailing(people=15))
    send(mailing, *[SET_UP] * 5)
    assert Batch.objects.get().status == BatchStatus.SENDING
    send(mailing, *[SET_UP] * 5)
    batch = Batch.objects.get()
    assert batch.status == BatchStatus.PAUSED
    assert "SPF, DKIM and DMARC" in batch.error
    assert mail.claim_work(owner=OWNER, now=NOW) is None
    assert DomainEvent.objects.filter(name="mail.sender_refused").count() == 1


def test_mail_that_is_taken_ends_the_row_and_the_reproach(settings: Settings) -> None:
    settings.SENDER_CHUNK_SIZE = 9
    mailing = freeze(make_mailing(people=27))
    send(mailing, *[SET_UP] * 9)
    assert (said(mailing).configuration_refusals, said(mailing).last_error != "") == (9, True)
    send(mailing, *[SENT] * 9)
    assert (said(mailing).configuration_refusals, said(mailing).last_error) == (0, "")
    send(mailing, *[SET_UP] * 9)
    assert Batch.objects.get().status == BatchStatus.DONE


def test_a_destination_that_puts_off_most_of_it_rests_and_its_chunks_wait(settings: Settings) -> None:
    settings.SENDER_CHUNK_SIZE = 12
    mailing = freeze(make_mailing(people=48))
    Chunk.objects.filter(number=3).update(destination="google", ready_at=NOW)
    held = Chunk.objects.filter(number=2)
    held.update(ready_at=None)
    send(mailing, *[SLOW] * 12)
    rest = DestinationRest.objects.get()
    assert (rest.destination, rest.until, rest.strikes) == ("other", NOW + FIRST_REST, 1)
    assert "421 4.7.28" in rest.reason
    assert list_rests(sender_id=mailing.sender.pk, now=NOW) == [rest]
    assert list_rests(sender_id=mailing.sender.pk, now=rest.until) == []
    ready = dict(Chunk.objects.values_list("number", "ready_at"))
    assert (ready[1], ready[2], ready[3]) == (NOW + FIRST_REST, None, NOW)
    assert isinstance(claim().claim, ChunkClaim)  # the other destination goes on
    assert mail.claim_work(owner=OWNER, now=NOW) is None


def test_a_rest_that_follows_close_upon_another_is_twice_as_long(settings: Settings) -> None:
    settings.SENDER_CHUNK_SIZE = 12
    mailing = freeze(make_mailing(people=48))
    send(mailing, *[SLOW] * 12)
    Chunk.objects.update(ready_at=NOW)
    send(mailing, *[SLOW] * 12, now=NOW + timedelta(minutes=1))  # claimed before the rest began
    assert DestinationRest.objects.get().strikes == 1
    again = NOW + FIRST_REST + timedelta(minutes=1)
    send(mailing, *[SLOW] * 12, now=again)
    rest = DestinationRest.objects.get()
    assert (rest.strikes, rest.until) == (2, again + 2 * FIRST_REST)
    late = rest.until + 3 * FIRST_REST
    send(mailing, *[SLOW] * 12, now=late)
    assert DestinationRest.objects.get().until == late + FIRST_REST


@pytest.mark.parametrize(
    "results",
    [[SLOW] * 9 + [SENT] * 3, [SLOW] * 6 + [SENT] * 6, [Result(Outcome.DEFERRED, 450, "4.2.0", "Greylisted")] * 12],
    ids=["too few", "no more than half", "greylisted"],
)
def test_what_says_nothing_about_the_destination_rests_nobody(results: list[Result], settings: Settings) -> None:
    settings.SENDER_CHUNK_SIZE = 12
    mailing = freeze(make_mailing(people=12))
    send(mailing, *results)
    assert not DestinationRest.objects.exists()


def test_giving_up_is_told_once_with_what_was_tried() -> None:
    send(freeze(make_mailing(people=1)), Result(Outcome.DEFERRED, 450, "4.2.1", "busy"))
    row, now, tries = Message.objects.get(), NOW, 1
    while row.status == MessageStatus.DEFERRED:
        assert row.next_attempt_at is not None
        now = row.next_attempt_at
        work = mail.claim_work(owner=OWNER, now=now)
        assert work is not None
        assert isinstance(work.claim, MessagesClaim)
        busy = Handover(row.pk, now.timestamp(), Result(Outcome.DEFERRED, 450, "4.2.1", "still busy"))
        mail.finish_messages(claim=work.claim, handovers=[busy], now=now)
        row.refresh_from_db()
        tries += 1
    assert (row.status, row.bounced_at, row.tries) == (MessageStatus.FAILED, None, tries)
    assert timedelta(days=5) <= now - NOW < timedelta(days=5, hours=1)
    event = DeliveryEvent.objects.get(type="failed")
    assert event.data == {
        "code": 450,
        "enhanced": "4.2.1",
        "text": "still busy",
        "kind": "expired",
        "action": "failed",
        "status": "4.4.7",
        "tries": tries,
        "since": NOW.isoformat(),
    }
    assert DeliveryEvent.objects.filter(type="deferred").count() == tries - 1
    assert not Suppression.objects.exists()
