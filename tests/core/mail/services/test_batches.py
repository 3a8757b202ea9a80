"""Freezing an audience, and the states of a batch."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from postroom.core.contacts import services as contacts
from postroom.core.contacts.types import OptOutScope, SuppressionReason, SuppressionScope
from postroom.core.events.models import DomainEvent
from postroom.core.mail import selectors
from postroom.core.mail import services as mail
from postroom.core.mail.errors import BatchState, NoSuchBatch, NoSuchSender
from postroom.core.mail.models import Chunk, Recipient
from postroom.core.mail.services.batches import pause_sender_batches
from postroom.core.mail.types import BatchStatus, ChunkStatus
from postroom.core.workspaces.types import SYSTEM
from tests.core.mail.services.bulk import claim, freeze, hand_over, hand_over_all, make_mailing
from tests.factories import NOW, make_workspace
from tests.ledger import make_batch

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small_chunks(settings: Settings) -> None:
    settings.SENDER_CHUNK_SIZE = 2


def finished_states() -> list[str]:
    return list(
        DomainEvent.objects.filter(name="mail.batch_finished").order_by("id").values_list("data__status", flat=True)
    )


def test_an_audience_is_frozen_into_chunks_and_refused_people_are_counted_by_reason() -> None:
    mailing = make_mailing(people=7)
    contacts.suppress_address(
        workspace=mailing.workspace,
        email=f"p0.{mailing.sender.pk}@example.com",
        scope=SuppressionScope.WORKSPACE,
        reason=SuppressionReason.COMPLAINT,
        detail="",
        actor=SYSTEM,
        now=NOW,
    )
    contacts.opt_out(
        workspace=mailing.workspace,
        contact_id=mailing.contact_ids[1],
        scope=OptOutScope(list_ids=(mailing.members.pk,)),
        source="test",
        actor=SYSTEM,
        now=NOW,
    )
    batch = freeze(mailing).batch
    assert (batch.status, batch.total) == (BatchStatus.SENDING, 5)
    assert batch.fenced == {"complaint": 1, "not_on_list": 1}
    assert list(Chunk.objects.order_by("number").values_list("size", flat=True)) == [2, 2, 1]
    assert Recipient.objects.filter(fence="").count() == 5
    assert Recipient.objects.exclude(fence="").filter(chunk_number=None).count() == 2


def test_an_audience_is_frozen_once() -> None:
    mailing = freeze(make_mailing())
    with pytest.raises(BatchState):
        freeze(mailing)


def test_a_batch_for_nobody_is_done_at_once() -> None:
    mailing = freeze(make_mailing(people=0))
    assert mailing.batch.status == BatchStatus.DONE
    assert finished_states() == ["done"]


def test_pausing_waits_for_claimed_chunks_and_resuming_goes_on() -> None:
    mailing = freeze(make_mailing(people=4))
    work = claim()
    paused = mail.pause_batch(workspace=mailing.workspace, batch_id=mailing.batch.pk, now=NOW)
    assert paused.status == BatchStatus.PAUSING
    assert mail.claim_work(owner="other", now=NOW) is None
    assert mail.check_claims(owner="here-1").stopped_batches == {mailing.batch.pk}
    mail.finish_chunk(claim=work.claim, handovers=[hand_over(work.items[0].message_id)], now=NOW)  # type: ignore[arg-type]
    mailing.batch.refresh_from_db()
    assert mailing.batch.status == BatchStatus.PAUSED
    counts = selectors.count_batch(batch_id=mailing.batch.pk)
    assert (counts.delivered, counts.pending, counts.sent) == (1, 3, 4)
    mail.resume_batch(workspace=mailing.workspace, batch_id=mailing.batch.pk, now=NOW)
    seen = [work.items[0].message_id]
    while (work := mail.claim_work(owner="other", now=NOW)) is not None:
        seen += [item.message_id for item in work.items]
        mail.finish_chunk(claim=work.claim, handovers=hand_over_all(work), now=NOW)  # type: ignore[arg-type]
    assert len(seen) == len(set(seen)) == 4
    mailing.batch.refresh_from_db()
    assert mailing.batch.status == BatchStatus.DONE
    assert finished_states() == ["paused", "done"]


def test_pausing_an_unclaimed_batch_is_done_at_once() -> None:
    mailing = freeze(make_mailing())
    assert mail.pause_batch(workspace=mailing.workspace, batch_id=mailing.batch.pk, now=NOW).status == "paused"


def test_the_batches_of_an_account_are_paused_in_the_order_in_which_everybody_locks_them() -> None:
    batch = make_batch(workspace=make_workspace())
    with CaptureQueriesContext(connection) as asked:
        assert pause_sender_batches(sender_id=batch.sender_id, error="", now=NOW) == 1
    look = next(one["sql"] for one in asked.captured_queries if 'FROM "mail_batch"' in one["sql"])
    assert 'ORDER BY "mail_batch"."id" ASC' in look


def test_a_cancelled_batch_keeps_what_was_sent_and_sends_nothing_more() -> None:
    mailing = freeze(make_mailing(people=4))
    work = claim()
    mail.cancel_batch(workspace=mailing.workspace, batch_id=mailing.batch.pk, now=NOW)
    mail.finish_chunk(claim=work.claim, handovers=[hand_over(work.items[0].message_id)], now=NOW)  # type: ignore[arg-type]
    mailing.batch.refresh_from_db()
    assert mailing.batch.status == BatchStatus.CANCELLED
    assert mail.claim_work(owner="other", now=NOW) is None
    counts = selectors.count_batch(batch_id=mailing.batch.pk)
    assert (counts.total, counts.delivered, counts.cancelled, counts.pending, counts.sent) == (4, 1, 3, 0, 1)
    assert not Chunk.objects.exclude(status=ChunkStatus.CANCELLED).exists()


@pytest.mark.parametrize("act", [mail.pause_batch, mail.resume_batch])
def test_a_finished_batch_stays_finished(act: object) -> None:
    mailing = freeze(make_mailing(people=0))
    with pytest.raises(BatchState, match="done"):
        act(workspace=mailing.workspace, batch_id=mailing.batch.pk, now=NOW)  # type: ignore[operator]


@pytest.mark.parametrize("act", [mail.pause_batch, mail.resume_batch, mail.cancel_batch])
def test_a_stranger_s_batch_is_not_found(act: object) -> None:
    mailing = freeze(make_mailing())
    with pytest.raises(NoSuchBatch):
        act(workspace=make_workspace(), batch_id=mailing.batch.pk, now=NOW)  # type: ignore[operator]


def test_a_batch_needs_a_sender_of_its_own_workspace() -> None:
    mailing = make_mailing(people=0)
    with pytest.raises(NoSuchSender):
        mail.create_batch(
            workspace=make_workspace(),
            sender_id=mailing.sender.pk,
            content_id=mailing.batch.content_id,
            message_class=mailing.batch.message_class,  # type: ignore[arg-type]
            fence=mailing_fence(),
            now=NOW,
        )


def mailing_fence() -> object:
    from postroom.core.contacts.types import Fence

    return Fence()
