"""A frozen audience: every person once, in chunks that have everything in common; what is held and released."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as check
from hypothesis import strategies as some
from hypothesis.extra.django import TestCase
from pytest_django import Settings

from postroom.core.contacts.models import Contact
from postroom.core.contacts.types import Audience
from postroom.core.mail import services as mail
from postroom.core.mail.errors import BatchState
from postroom.core.mail.models import Chunk, Message, Recipient
from postroom.core.mail.rules.destinations import destination_of
from postroom.core.mail.rules.placing import draw_content
from postroom.core.mail.types import BatchStatus, ChunkStatus, FreezePlan, LocalTime, Portions, Split, Unmoved
from tests.core.mail.services.bulk import Mailing, claim, hand_over_all, make_mailing
from tests.factories import NOW
from tests.ledger import make_content

ADDRESSES = ("a@gmail.com", "b@outlook.com", "c@yahoo.com", "d@icloud.com", "e@example.com")
ZONES = ("", "Asia/Tokyo", "America/New_York", "Europe/Berlin", "Nowhere/At_All")


def freeze(mailing: Mailing, plan: FreezePlan) -> None:
    audience = Audience(list_ids=(mailing.members.pk,))
    mail.freeze_audience(batch_id=mailing.batch.pk, audience=audience, now=NOW, plan=plan)
    mailing.batch.refresh_from_db()


def scatter(mailing: Mailing) -> None:
    """Give the people addresses at several providers, and zones."""
    for number, pk in enumerate(mailing.contact_ids):
        local, _, domain = ADDRESSES[number % 5].partition("@")
        zone = ZONES[number // 5 % 5]
        Contact.objects.filter(pk=pk).update(email=f"{local}{number}.{pk}@{domain}", timezone=zone)


def check_chunks(mailing: Mailing, plan: FreezePlan, limit: int) -> None:
    """Compare every chunk with the people in it: each person once, in a chunk that is right for them."""
    chunks = {chunk.number: chunk for chunk in Chunk.objects.filter(batch=mailing.batch)}
    people: dict[int, list[Recipient]] = defaultdict(list)
    for recipient in Recipient.objects.filter(batch=mailing.batch, fence=""):
        assert recipient.chunk_number is not None
        people[recipient.chunk_number].append(recipient)
    assert sorted(one.contact_id for part in people.values() for one in part) == sorted(mailing.contact_ids)
    assert {number: chunk.size for number, chunk in chunks.items()} == {
        number: len(part) for number, part in people.items()
    }
    zones = dict(Contact.objects.filter(pk__in=mailing.contact_ids).values_list("pk", "timezone"))
    for number, part in people.items():
        chunk = chunks[number]
        assert 0 < chunk.size <= limit
        for one in part:
            assert destination_of(one.email) == chunk.destination
            content = draw_content(plan.split, one.contact_id) if plan.split else None
            assert content == chunk.content_id
            if plan.split and content is None:
                assert chunk.ready_at is None
            elif plan.local_time is None:
                assert chunk.ready_at == NOW
            else:
                assert chunk.ready_at == max(NOW, TIMES[zones[one.contact_id]])


WALL = datetime(2026, 11, 20, 12, 0)
TIMES = {
    "": datetime(2026, 11, 20, 12, 0, tzinfo=UTC),
    "Asia/Tokyo": datetime(2026, 11, 20, 3, 0, tzinfo=UTC),
    "America/New_York": datetime(2026, 11, 20, 17, 0, tzinfo=UTC),
    "Europe/Berlin": datetime(2026, 11, 20, 11, 0, tzinfo=UTC),
    "Nowhere/At_All": datetime(2026, 11, 20, 12, 0, tzinfo=UTC),
}


class AnyAudience(TestCase):
    """Whatever the size, the share and the number of variants."""

    @check(max_examples=8, deadline=None)
    @given(
        size=some.integers(1, 40),
        percent=some.integers(1, 100),
        variants=some.integers(0, 5),
        is_local=some.booleans(),
        limit=some.integers(1, 9),
    )
    def test_everybody_gets_one_variant_once(
        self, size: int, percent: int, variants: int, is_local: bool, limit: int
    ) -> None:
        mailing = make_mailing(people=size)
        scatter(mailing)
        contents = tuple(make_content(workspace=mailing.workspace).pk for _ in range(variants))
        split = Split(seed=mailing.batch.pk, percent=percent, contents=contents) if contents else None
        plan = FreezePlan(LocalTime(WALL, "UTC") if is_local else None, split)
        with self.settings(SENDER_CHUNK_SIZE=limit):
            freeze(mailing, plan)
        check_chunks(mailing, plan, limit)


@pytest.fixture
def held(db: None, settings: Settings) -> Mailing:
    """A batch of which half is held, as large as needed for both halves to have somebody."""
    settings.SENDER_CHUNK_SIZE = 4
    mailing = make_mailing(people=40)
    plan = FreezePlan(split=Split(seed=1, percent=50, contents=(mailing.batch.content_id,)))
    freeze(mailing, plan)
    return mailing


def finish_all_ready() -> int:
    sent = 0
    while work := mail.claim_work(owner="here-1", now=NOW):
        sent += len(work.items)
        mail.finish_chunk(claim=work.claim, handovers=hand_over_all(work), now=NOW)  # type: ignore[arg-type]
    return sent


def test_who_is_held_is_claimed_by_nobody_until_released_and_the_batch_stays_open(held: Mailing) -> None:
    sampled = finish_all_ready()
    held.batch.refresh_from_db()
    assert 0 < sampled < 40
    assert held.batch.status == BatchStatus.SENDING
    winner = make_content(workspace=held.workspace)
    assert mail.release_held(batch_id=held.batch.pk, content_id=winner.pk, now=NOW) == 40 - sampled
    assert mail.release_held(batch_id=held.batch.pk, content_id=held.batch.content_id, now=NOW) == 0
    assert finish_all_ready() == 40 - sampled
    held.batch.refresh_from_db()
    assert held.batch.status == BatchStatus.DONE
    assert Message.objects.filter(batch=held.batch, content=winner).count() == 40 - sampled
    assert Message.objects.values("contact").distinct().count() == 40


def test_a_paused_batch_keeps_whom_it_holds_and_a_cancelled_one_lets_them_go(held: Mailing) -> None:
    finish_all_ready()
    batch = mail.pause_batch(workspace=held.workspace, batch_id=held.batch.pk, now=NOW)
    assert batch.status == BatchStatus.PAUSED
    mail.resume_batch(workspace=held.workspace, batch_id=held.batch.pk, now=NOW)
    assert mail.claim_work(owner="here-1", now=NOW + timedelta(days=9)) is None
    mail.cancel_batch(workspace=held.workspace, batch_id=held.batch.pk, now=NOW)
    assert mail.release_held(batch_id=held.batch.pk, content_id=held.batch.content_id, now=NOW) == 0
    assert not Chunk.objects.filter(batch=held.batch, status=ChunkStatus.QUEUED).exists()


def test_nobody_gets_a_chunk_before_its_time(db: None) -> None:
    mailing = make_mailing(people=10)
    scatter(mailing)
    freeze(mailing, FreezePlan(LocalTime(WALL, "UTC")))
    moments = sorted(at for at in set(Chunk.objects.values_list("ready_at", flat=True)) if at is not None)
    assert moments == [NOW, datetime(2026, 11, 20, 12, 0, tzinfo=UTC)]
    assert finish_all_ready() == 5
    assert mail.claim_work(owner="here-1", now=moments[1] - timedelta(seconds=1)) is None
    assert mail.claim_work(owner="here-1", now=moments[1]) is not None


UNTOUCHED: dict[str, object] = {}
MOVED: list[tuple[dict[str, object], bool, bool]] = [
    (UNTOUCHED, True, True),
    ({"opened_at": NOW}, False, True),
    ({"opened_at": NOW, "clicked_at": NOW}, False, False),
    ({"clicked_at": NOW}, False, False),
    ({"replied_at": NOW}, False, False),
    ({"machine_opened_at": NOW, "scanner_clicked_at": NOW}, True, True),
    ({"bounced_at": NOW}, False, False),
    ({"complained_at": NOW}, False, False),
    ({"unsubscribed_at": NOW}, False, False),
    ({"status": "in_doubt"}, False, False),
    ({"status": "failed"}, False, False),
    ({"status": "suppressed"}, False, False),
]


def test_who_got_it_and_did_nothing_is_told_apart_from_everybody_else(db: None) -> None:
    first = make_mailing(people=len(MOVED))
    freeze(first, FreezePlan())
    work = claim()
    mail.finish_chunk(claim=work.claim, handovers=hand_over_all(work), now=NOW)  # type: ignore[arg-type]
    for contact_id, (facts, _, _) in zip(first.contact_ids, MOVED, strict=True):
        Message.objects.filter(contact_id=contact_id).update(**facts)
    for by_clicks in (False, True):
        again = make_mailing(people=0, workspace=first.workspace)
        audience = Unmoved(first.batch.pk, by_clicks=by_clicks)
        again.batch.list_ids = [first.members.pk]
        again.batch.save()
        mail.freeze_audience(batch_id=again.batch.pk, audience=audience, now=NOW)
        wanted = [
            contact_id
            for contact_id, (_, opens, clicks) in zip(first.contact_ids, MOVED, strict=True)
            if (clicks if by_clicks else opens)
        ]
        found = Recipient.objects.filter(batch=again.batch, fence="").values_list("contact_id", flat=True)
        assert sorted(found) == sorted(wanted)


def test_two_people_who_became_one_are_written_to_once_and_not_at_all_if_one_of_them_read_it(db: None) -> None:
    first = make_mailing(people=4)
    freeze(first, FreezePlan())
    work = claim()
    mail.finish_chunk(claim=work.claim, handovers=hand_over_all(work), now=NOW)  # type: ignore[arg-type]
    one, two, three, four = first.contact_ids
    Message.objects.filter(contact_id=four).update(opened_at=NOW)
    Message.objects.filter(contact_id=two).update(contact_id=one)
    Message.objects.filter(contact_id=four).update(contact_id=three)
    again = make_mailing(people=0, workspace=first.workspace)
    totals = mail.freeze_audience(batch_id=again.batch.pk, audience=Unmoved(first.batch.pk), now=NOW)
    assert list(Recipient.objects.filter(batch=again.batch).values_list("contact_id", flat=True)) == [one]
    assert totals.total + sum(totals.fenced.values()) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("limit", [2, 500])
def test_portions_begin_one_after_the_other(settings: Settings, limit: int) -> None:
    settings.SENDER_CHUNK_SIZE = limit
    mailing = make_mailing(10)
    scatter(mailing)
    freeze(mailing, FreezePlan(portions=Portions(size=4, minutes=15)))
    sizes: dict[datetime, int] = defaultdict(int)
    for chunk in Chunk.objects.filter(batch=mailing.batch):
        assert chunk.ready_at is not None
        assert chunk.size <= limit
        sizes[chunk.ready_at] += chunk.size
    quarter = timedelta(minutes=15)
    assert dict(sizes) == {NOW: 4, NOW + quarter: 4, NOW + 2 * quarter: 2}
    first = Recipient.objects.filter(
        batch=mailing.batch,
        chunk_number__in=Chunk.objects.filter(batch=mailing.batch, ready_at=NOW).values("number"),
    )
    assert sorted(first.values_list("contact_id", flat=True)) == sorted(mailing.contact_ids)[:4]


@pytest.mark.django_db
def test_whoever_waits_for_a_winner_takes_no_place_in_a_portion() -> None:
    mailing = make_mailing(40)
    other = make_content(workspace=mailing.workspace).pk
    split = Split(seed=7, percent=50, contents=(mailing.batch.content_id, other))
    freeze(mailing, FreezePlan(split=split, portions=Portions(size=5, minutes=1)))
    chunks = Chunk.objects.filter(batch=mailing.batch)
    assert sum(chunk.size for chunk in chunks.filter(ready_at=NOW)) == 5
    assert sum(chunk.size for chunk in chunks.filter(ready_at=None)) > 5


@pytest.mark.django_db
def test_a_batch_that_goes_on_by_itself_is_not_opened_again() -> None:
    mailing = make_mailing(2)
    with pytest.raises(BatchState):
        mail.reopen_batch(workspace=mailing.workspace, batch_id=mailing.batch.pk)
    freeze(mailing, FreezePlan())
    for act in (mail.reopen_batch, mail.shut_batch):
        with pytest.raises(BatchState):
            act(workspace=mailing.workspace, batch_id=mailing.batch.pk)
