"""Which accounts take work, over whose server, and how a server that failed is tried out."""

from datetime import timedelta

import pytest

from postroom.core.mail import services as mail
from postroom.core.mail.models import SenderAccount
from postroom.core.mail.services.routing import PROBE_LASTS, PROBE_SIZE
from postroom.core.mail.types import BatchStatus, NewLimit, Per, Work
from postroom.core.workspaces.types import SYSTEM
from tests.core.mail.services.bulk import OWNER, Mailing, freeze, hand_over_all, make_mailing
from tests.factories import NOW, make_workspace
from tests.ledger import make_sender

pytestmark = pytest.mark.django_db

FAILS_AT = NOW
LATER = NOW + timedelta(seconds=301)
"""When the account has been failing for longer than its stand-in waits, and rests."""


def make_pair(people: int = 30) -> tuple[Mailing, SenderAccount]:
    """Return a campaign of an account that another one stands in for."""
    workspace = make_workspace()
    own, other = make_sender(workspace=workspace), make_sender(workspace=workspace)
    SenderAccount.objects.filter(pk=own.pk).update(fallback=other, fallback_after_s=300)
    return freeze(make_mailing(people=people, workspace=workspace, sender=own)), other


def fail(sender: SenderAccount, *, times: int = 8, permanent: bool = False) -> None:
    """Let an account fail so often that it rests for minutes."""
    for _ in range(times):
        mail.report_sender_failure(sender_id=sender.pk, error="no answer", permanent=permanent, now=FAILS_AT)


def claim_at(now: object) -> Work | None:
    return mail.claim_work(owner=OWNER, now=now)  # type: ignore[arg-type]


def test_an_account_that_fails_for_long_enough_sends_over_its_stand_in_until_it_recovers() -> None:
    mailing, other = make_pair()
    fail(mailing.sender)
    assert claim_at(NOW + timedelta(seconds=200)) is None  # it rests, and it is too early for another
    work = claim_at(LATER)
    assert work is not None
    assert (work.sender_id, work.route_id, work.is_probe) == (mailing.sender.pk, other.pk, False)
    assert len(work.items) == 30
    mail.finish_chunk(claim=work.claim, handovers=[], now=LATER)  # type: ignore[arg-type]
    mail.report_sender_success(sender_id=mailing.sender.pk, now=LATER)
    work = claim_at(LATER)
    assert work is not None
    assert (work.sender_id, work.route_id, work.is_probe) == (mailing.sender.pk, mailing.sender.pk, False)


def test_a_server_that_failed_is_tried_out_with_a_few_messages_by_one_at_a_time() -> None:
    mailing, other = make_pair(people=60)
    fail(mailing.sender)
    rested = SenderAccount.objects.get(pk=mailing.sender.pk).retry_at
    assert rested is not None
    probe = claim_at(rested)
    assert probe is not None
    assert (probe.route_id, probe.is_probe, len(probe.items)) == (mailing.sender.pk, True, PROBE_SIZE)
    mail.finish_chunk(claim=probe.claim, handovers=hand_over_all(probe), now=rested)  # type: ignore[arg-type]
    beside = claim_at(rested)
    assert beside is not None
    assert (beside.route_id, beside.is_probe, len(beside.items)) == (other.pk, False, 50)
    mail.finish_chunk(claim=beside.claim, handovers=[], now=rested)  # type: ignore[arg-type]
    again = claim_at(rested + PROBE_LASTS)
    assert again is not None
    assert again.is_probe


@pytest.mark.parametrize(
    "flaw",
    [
        {"is_active": False},
        {"failing_since": NOW},
        {"retry_at": LATER + timedelta(minutes=1)},
        {"channel": "sms"},
        {"workspace": None},
    ],
)
def test_nobody_stands_in_who_could_not_carry_mail(flaw: dict[str, object]) -> None:
    mailing, other = make_pair()
    fail(mailing.sender)
    if "workspace" in flaw:
        flaw = {"workspace": make_workspace()}
    SenderAccount.objects.filter(pk=other.pk).update(**flaw)
    assert claim_at(LATER) is None


def test_a_stand_in_has_no_stand_in_and_no_account_stands_in_for_itself() -> None:
    mailing, other = make_pair()
    third = make_sender(workspace=mailing.workspace)
    SenderAccount.objects.filter(pk=other.pk).update(fallback=third)
    fail(mailing.sender)
    fail(other)
    assert claim_at(LATER) is None
    SenderAccount.objects.filter(pk=mailing.sender.pk).update(fallback=mailing.sender)
    assert claim_at(LATER) is None


def test_a_hopeless_account_pauses_its_campaigns_unless_another_stands_in() -> None:
    mailing, _ = make_pair()
    fail(mailing.sender, times=1, permanent=True)
    mailing.batch.refresh_from_db()
    assert mailing.batch.status == BatchStatus.SENDING
    alone = freeze(make_mailing(people=1))
    fail(alone.sender, times=1, permanent=True)
    alone.batch.refresh_from_db()
    assert (alone.batch.status, alone.batch.error) == (BatchStatus.PAUSED, "no answer")


def test_the_limits_of_both_accounts_count_what_a_stand_in_carries() -> None:
    mailing, other = make_pair()
    for sender, most in ((mailing.sender, 20), (other, 8)):
        limit = NewLimit(sender_id=sender.pk, most=most, per=Per.DAY)
        mail.set_limit(workspace=mailing.workspace, new=limit, actor=SYSTEM, now=NOW)
    fail(mailing.sender)
    work = claim_at(LATER)
    assert work is not None
    assert [grant.sender_id for grant in work.grants] == [mailing.sender.pk, other.pk]
    assert len(work.items) <= 8
    mail.finish_chunk(claim=work.claim, handovers=hand_over_all(work), now=LATER)  # type: ignore[arg-type]
    assert claim_at(LATER) is None
