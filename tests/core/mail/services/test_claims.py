"""Claims, their fences, and what settling them writes."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import Suppression
from postroom.core.contacts.types import OptOutScope, SuppressionReason, SuppressionScope
from postroom.core.mail import selectors
from postroom.core.mail import services as mail
from postroom.core.mail.models import Chunk, DeliveryEvent, LimitWait, Message, Recipient
from postroom.core.mail.ports import Handover, JournalReading, Outcome, Result
from postroom.core.mail.rules.settling import RESEND_AFTER
from postroom.core.mail.rules.tokens import message_id_header
from postroom.core.mail.services.grants import LONGEST_WAIT
from postroom.core.mail.types import (
    ChunkClaim,
    ChunkStatus,
    MessageClass,
    MessagesClaim,
    MessageStatus,
    NewLimit,
    Per,
    Work,
)
from postroom.core.workspaces.types import SYSTEM
from tests.core.mail.services.bulk import OWNER, claim, freeze, hand_over, hand_over_all, make_mailing
from tests.factories import NOW, make_workspace
from tests.ledger import make_message, make_sender

pytestmark = pytest.mark.django_db

DEFERRED = Result(Outcome.DEFERRED, 450, "4.2.1", "try later")
DOUBT = Result(Outcome.IN_DOUBT)


@pytest.fixture(autouse=True)
def _small_chunks(settings: Settings) -> None:
    settings.SENDER_CHUNK_SIZE = 3


def finish(work: Work, handovers: list[Handover]) -> bool:
    if isinstance(work.claim, ChunkClaim):
        return mail.finish_chunk(claim=work.claim, handovers=handovers, now=NOW)
    return mail.finish_messages(claim=work.claim, handovers=handovers, now=NOW)


def states() -> list[str]:
    return sorted(Message.objects.values_list("status", flat=True))


def make_waiting(**changes: object) -> Message:
    workspace = changes.pop("workspace", None) or make_workspace()
    fields = {"status": "queued", "sent_at": None, "next_attempt_at": NOW, "priority": 0, **changes}
    fields.setdefault("message_class", MessageClass.TRANSACTIONAL)
    return make_message(workspace=workspace, **fields)  # type: ignore[arg-type]


def test_a_chunk_is_claimed_once_and_its_messages_know_their_people() -> None:
    mailing = freeze(make_mailing(people=3))
    work = claim()
    assert mail.claim_work(owner="other", now=NOW) is None
    assert work.sender_id == mailing.sender.pk
    assert [item.slots["first_name"] for item in work.items] == ["P0", "P1", "P2"]
    assert [item.refusal for item in work.items] == ["", "", ""]
    assert mail.check_claims(owner=OWNER).chunks == {(work.claim.chunk_id, 1)}  # type: ignore[union-attr]


def test_claiming_a_chunk_takes_the_same_few_statements_whatever_its_size(settings: Settings) -> None:
    settings.SENDER_CHUNK_SIZE = 20
    freeze(make_mailing(people=20))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        claim()
    assert len(queries) <= 14


def test_a_finished_chunk_is_in_the_ledger_with_everything_its_batch_says() -> None:
    mailing = freeze(make_mailing(people=2))
    work = claim()
    assert finish(work, hand_over_all(work))
    row = Message.objects.order_by("id").first()
    assert row is not None
    item = work.items[0]
    assert (row.pk, row.to, item.message_id_header) == (item.message_id, list(item.to), "")
    assert row.message_id_header == message_id_header(row.pk, "example.com")
    assert (row.workspace_id, row.batch_id, row.sender_id) == (
        mailing.workspace.pk,
        mailing.batch.pk,
        mailing.sender.pk,
    )
    assert (row.contact_id, row.list_ids, row.status) == (mailing.contact_ids[0], [mailing.members.pk], "sent")
    assert row.sent_at == row.delivered_at == row.first_attempt_at == NOW
    assert Chunk.objects.get().status == ChunkStatus.DONE


def test_a_lost_fence_changes_nothing() -> None:
    freeze(make_mailing(people=2))
    work = claim()
    assert isinstance(work.claim, ChunkClaim)
    for void in (
        ChunkClaim(work.claim.chunk_id, "other", 1),
        ChunkClaim(work.claim.chunk_id, OWNER, 2),
    ):
        assert not mail.finish_chunk(claim=void, handovers=hand_over_all(work), now=NOW)
    assert states() == []
    assert finish(work, hand_over_all(work))
    assert not finish(work, hand_over_all(work))
    assert states() == ["sent", "sent"]


def test_who_opts_out_after_the_freeze_is_suppressed_at_hand_over() -> None:
    mailing = freeze(make_mailing(people=2))
    contacts.opt_out(
        workspace=mailing.workspace,
        contact_id=mailing.contact_ids[0],
        scope=OptOutScope(list_ids=(mailing.members.pk,)),
        source="test",
        actor=SYSTEM,
        now=NOW,
    )
    work = claim()
    assert [item.refusal for item in work.items] == ["not_on_list", ""]
    refused, open_ = work.items
    finish(work, [Handover(refused.message_id, NOW.timestamp(), None, refused.refusal), hand_over(open_.message_id)])
    assert Message.objects.get(pk=refused.message_id).reply_text == "not_on_list"
    assert states() == ["sent", "suppressed"]
    counts = selectors.count_batch(batch_id=mailing.batch.pk)
    assert (counts.sent, counts.suppressed, counts.delivered) == (1, 1, 1)


def test_a_bad_address_is_suppressed_a_policy_refusal_flags_the_sender() -> None:
    mailing = freeze(make_mailing(people=3))
    work = claim()
    results = [Result(Outcome.FAILED, 550, "5.1.1", "no such user"), Result(Outcome.FAILED, 554, "5.7.1", "spam"), None]
    finish(work, [hand_over(item.message_id, one) for item, one in zip(work.items, results, strict=True)])
    assert [row.email for row in Suppression.objects.all()] == [work.items[0].to[0]]
    mailing.sender.refresh_from_db()
    assert mailing.sender.last_error.endswith("554 5.7.1 spam")
    assert sorted(DeliveryEvent.objects.values_list("type", flat=True)) == ["bounced", "bounced"]
    assert list(Message.objects.order_by("id").values_list("bounce_code", flat=True)) == ["5.1.1", "5.7.1", ""]
    counts = selectors.count_batch(batch_id=mailing.batch.pk)
    assert (counts.sent, counts.bounced, counts.delivered, counts.failed) == (3, 2, 1, 0)


def test_what_a_server_says_is_kept_whatever_octets_it_says(settings: Settings) -> None:
    mailing = freeze(make_mailing(people=1))
    Recipient.objects.update(email="not an address")
    work = claim()
    assert work.items[0].refusal == "address_changed"
    assert finish(work, hand_over_all(work, Result(Outcome.FAILED, 550, "5.1.1", "no\x00body" + "x" * 2000, "id\x00")))
    row = Message.objects.get()
    assert (row.reply_text[:6], len(row.reply_text), row.provider_id) == ("nobody", 1000, "id")
    assert DeliveryEvent.objects.get().data["text"].startswith("nobody")
    assert not Suppression.objects.exists()
    assert selectors.count_batch(batch_id=mailing.batch.pk).bounced == 1


def test_a_deferred_message_comes_back_as_a_single_one_with_growing_gaps_until_it_is_given_up() -> None:
    mailing = freeze(make_mailing(people=1))
    finish(work := claim(), hand_over_all(work, DEFERRED))
    (row,) = Message.objects.all()
    assert row.message_id_header == message_id_header(row.pk, "example.com")
    assert row.first_attempt_at == NOW
    now, gaps = NOW, []
    while row.status == MessageStatus.DEFERRED:
        assert row.next_attempt_at is not None
        gaps.append(row.next_attempt_at - now)
        assert mail.claim_work(owner=OWNER, now=now) is None
        now = row.next_attempt_at
        again = mail.claim_work(owner=OWNER, now=now)
        assert again is not None
        assert again.items[0].message_id_header == row.message_id_header
        assert isinstance(again.claim, MessagesClaim)
        mail.finish_messages(claim=again.claim, handovers=hand_over_all(again, DEFERRED), now=now)
        row.refresh_from_db()
    assert row.status == MessageStatus.FAILED
    assert timedelta(days=5) <= now - NOW < timedelta(days=6)
    assert gaps[:3] == sorted(gaps[:3])
    assert DeliveryEvent.objects.filter(type="failed").count() == 1
    assert selectors.count_batch(batch_id=mailing.batch.pk).failed == 1


def test_mail_that_waited_long_for_its_turn_is_tried_as_often_as_any() -> None:
    freeze(make_mailing(people=1))
    late = NOW + timedelta(days=30)
    work = mail.claim_work(owner=OWNER, now=late)
    assert work is not None
    assert isinstance(work.claim, ChunkClaim)
    assert mail.finish_chunk(claim=work.claim, handovers=hand_over_all(work, DEFERRED), now=late)
    assert states() == ["deferred"]


def test_marketing_in_doubt_is_parked_for_good() -> None:
    mailing = freeze(make_mailing(people=1))
    finish(work := claim(), hand_over_all(work, DOUBT))
    assert states() == ["in_doubt"]
    assert mail.claim_work(owner=OWNER, now=NOW + timedelta(days=30)) is None
    counts = selectors.count_batch(batch_id=mailing.batch.pk)
    assert (counts.sent, counts.in_doubt) == (1, 1)


def test_transactional_in_doubt_is_repeated_once_under_the_same_message_id() -> None:
    row = make_waiting()
    finish(work := claim(), hand_over_all(work, DOUBT))
    assert mail.claim_work(owner=OWNER, now=NOW) is None
    again = mail.claim_work(owner=OWNER, now=NOW + RESEND_AFTER)
    assert again is not None
    assert again.items[0].message_id_header == row.message_id_header
    finish(again, hand_over_all(again, DOUBT))
    assert states() == ["in_doubt"]
    assert mail.claim_work(owner=OWNER, now=NOW + timedelta(days=30)) is None


def test_mail_that_somebody_waits_for_goes_before_a_campaign() -> None:
    mailing = freeze(make_mailing(people=4))
    row = make_waiting(workspace=mailing.workspace, sender=mailing.sender)
    work = claim()
    assert work.is_urgent
    assert [item.message_id for item in work.items] == [row.pk]
    assert not claim().is_urgent


def test_a_full_account_is_left_out_and_a_busy_one_takes_urgent_mail_only() -> None:
    mailing = freeze(make_mailing(people=4))
    lane = (mailing.sender.pk, mailing.sender.pk)
    assert mail.claim_work(owner=OWNER, now=NOW, busy=[lane]) is None
    make_waiting(workspace=mailing.workspace, sender=mailing.sender)
    assert mail.claim_work(owner=OWNER, now=NOW, full=[lane]) is None
    assert claim(busy=[lane]).is_urgent


def test_single_messages_without_a_result_are_queued_again() -> None:
    workspace = make_workspace()
    sender = make_sender(workspace=workspace)
    for _ in range(2):
        make_waiting(workspace=workspace, sender=sender)
    work = claim()
    finish(work, [hand_over(work.items[0].message_id)])
    assert states() == ["queued", "sent"]
    assert len(claim().items) == 1


def test_a_single_message_claimed_by_another_since_is_left_alone() -> None:
    row = make_waiting()
    stale = claim()
    Message.objects.filter(pk=row.pk).update(attempt=2, owner="other")
    assert not finish(stale, hand_over_all(stale))
    assert states() == ["claimed"]


def test_scheduled_mail_waits_for_its_time() -> None:
    make_waiting(next_attempt_at=NOW + timedelta(hours=1))
    assert mail.claim_work(owner=OWNER, now=NOW) is None
    assert mail.claim_work(owner=OWNER, now=NOW + timedelta(hours=1)) is not None


def test_refused_copies_are_left_out_and_a_message_to_nobody_is_refused() -> None:
    workspace = make_workspace()
    sender = make_sender(workspace=workspace)
    make_waiting(workspace=workspace, sender=sender, to=["bad@example.com"], message_id=1)
    make_waiting(workspace=workspace, sender=sender, to=["good@example.com"], cc=["bad@example.com"], message_id=2)
    contacts.suppress_address(
        workspace=workspace,
        email="bad@example.com",
        scope=SuppressionScope.WORKSPACE,
        reason=SuppressionReason.HARD_BOUNCE,
        detail="",
        actor=SYSTEM,
        now=NOW,
    )
    first, second = claim().items
    assert first.refusal == "hard_bounce"
    assert (second.refusal, second.to, second.cc) == ("", ("good@example.com",), ())


def test_a_paused_batch_holds_its_retries_and_a_cancelled_one_drops_them() -> None:
    mailing = freeze(make_mailing(people=4))
    work = claim()
    finish(work, hand_over_all(work, DEFERRED))
    later = NOW + timedelta(days=1)
    mail.pause_batch(workspace=mailing.workspace, batch_id=mailing.batch.pk, now=NOW)
    assert mail.claim_work(owner=OWNER, now=later) is None
    mail.resume_batch(workspace=mailing.workspace, batch_id=mailing.batch.pk, now=NOW)
    assert mail.claim_work(owner=OWNER, now=NOW) is not None
    assert mail.claim_work(owner=OWNER, now=NOW) is not None
    mail.recover_claims(owner=OWNER, journal=JournalReading({}, is_complete=True), now=NOW)
    mail.cancel_batch(workspace=mailing.workspace, batch_id=mailing.batch.pk, now=NOW)
    assert states() == ["cancelled"] * 3
    assert selectors.count_batch(batch_id=mailing.batch.pk).cancelled == 4


def test_the_daily_limit_holds_across_claims_and_what_was_not_used_comes_back() -> None:
    workspace = make_workspace()
    sender = make_sender(workspace=workspace)
    limit = NewLimit(sender_id=sender.pk, most=4, per=Per.DAY)
    mail.set_limit(workspace=workspace, new=limit, actor=SYSTEM, now=NOW)
    freeze(make_mailing(people=9, workspace=workspace, sender=sender))
    first, second = claim(), claim()
    assert (len(first.items), len(second.items)) == (3, 1)
    assert mail.claim_work(owner=OWNER, now=NOW) is None
    assert LimitWait.objects.get().sender_id == sender.pk
    finish(second, [])
    mail.return_grants(grants=second.grants, count=1)
    assert mail.claim_work(owner=OWNER, now=NOW) is None  # it is not looked at again so soon
    third = mail.claim_work(owner=OWNER, now=NOW + LONGEST_WAIT)
    assert third is not None
    assert (len(third.items), third.good_until) == (1, NOW + LONGEST_WAIT + timedelta(seconds=2))
    assert mail.claim_work(owner=OWNER, now=NOW + LONGEST_WAIT) is None


def test_a_dead_owner_s_journal_decides_what_becomes_of_its_claims() -> None:
    mailing = freeze(make_mailing(people=3))
    single = make_waiting(workspace=mailing.workspace, sender=mailing.sender)
    urgent, bulk = claim(), claim()
    sent, lost, never = (item.message_id for item in bulk.items)
    journal = JournalReading({sent: hand_over(sent), lost: None, single.pk: None}, is_complete=True)
    assert mail.recover_claims(owner=OWNER, journal=journal, now=NOW) == 2
    assert mail.recover_claims(owner=OWNER, journal=journal, now=NOW) == 0
    assert not finish(bulk, hand_over_all(bulk))
    assert not finish(urgent, hand_over_all(urgent))
    assert dict(Message.objects.values_list("pk", "status")) == {
        sent: "sent",
        lost: "in_doubt",
        single.pk: "deferred",
    }
    assert [item.message_id for item in claim("next").items] == [never]


def test_without_a_whole_journal_everything_claimed_is_in_doubt() -> None:
    freeze(make_mailing(people=3))
    claim()
    mail.recover_claims(owner=OWNER, journal=JournalReading({}, is_complete=False), now=NOW)
    assert states() == ["in_doubt"] * 3
    assert Chunk.objects.get().status == ChunkStatus.DONE


def test_an_operator_sees_who_holds_what_and_may_give_a_lost_machine_up() -> None:
    mailing = freeze(make_mailing(people=3))
    make_waiting(workspace=mailing.workspace, sender=mailing.sender)
    claim("lost")
    claim("lost")
    mail.note_sender(owner="lost", host="away.example", now=NOW)
    mail.note_sender(owner="idle", host="here.example", now=NOW)
    mail.note_sender(owner="lost", host="away.example", now=NOW + timedelta(seconds=10))
    idle, held = selectors.list_held_claims()
    assert (idle.owner, idle.host, idle.recipients, idle.since) == ("idle", "here.example", 0, None)
    assert (held.owner, held.host, held.recipients, held.since) == ("lost", "away.example", 4, NOW)
    assert [held.is_silent(NOW + timedelta(seconds=seconds)) for seconds in (50, 56)] == [False, True]
    mail.abandon_claims(owner="lost", now=NOW)
    assert [one.owner for one in selectors.list_held_claims()] == ["idle"]
    assert states() == ["deferred"] + ["in_doubt"] * 3


def test_a_failing_account_rests_longer_each_time_and_a_hopeless_one_pauses_its_batches() -> None:
    mailing = freeze(make_mailing(people=3))
    pauses = []
    for _ in range(3):
        mail.report_sender_failure(sender_id=mailing.sender.pk, error="refused", permanent=False, now=NOW)
        mailing.sender.refresh_from_db()
        pauses.append(mailing.sender.retry_at - NOW)  # type: ignore[operator]
    assert pauses == [timedelta(seconds=5), timedelta(seconds=10), timedelta(seconds=20)]
    assert mail.claim_work(owner=OWNER, now=NOW) is None
    assert mail.claim_work(owner=OWNER, now=NOW + pauses[-1]) is not None
    mail.report_sender_failure(sender_id=mailing.sender.pk, error="535 wrong password", permanent=True, now=NOW)
    mailing.batch.refresh_from_db()
    assert (mailing.batch.status, mailing.batch.error) == ("pausing", "535 wrong password")
    mail.report_sender_success(sender_id=mailing.sender.pk, now=NOW)
    mailing.sender.refresh_from_db()
    assert (mailing.sender.last_error, mailing.sender.retry_at) == ("", None)


def test_partitions_are_made_ahead_and_events_land_in_them() -> None:
    mail.ensure_partitions(now=NOW)
    mail.ensure_partitions(now=NOW)
    freeze(make_mailing(people=1))
    finish(work := claim(), hand_over_all(work, DEFERRED))
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM mail_deliveryevent")
        assert cursor.fetchall() == [("mail_deliveryevent_2026_11",)]
