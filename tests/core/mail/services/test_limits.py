"""Limits set by people, and the allowances that senders take from them."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from importlib import import_module

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.core.mail import services as mail
from postroom.core.mail.errors import BadDomain, BadLimit, NoSuchDomain, NoSuchLimit, NoSuchSender
from postroom.core.mail.models import Limit, SenderAccount, SenderDay
from postroom.core.mail.selectors.limits import goes_by_recipients, known_destinations, list_limits
from postroom.core.mail.services.limits import return_allowance, take_allowance
from postroom.core.mail.types import Allowance, NewLimit, Per, WindowZone
from postroom.core.workspaces.models import AuditEntry, Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.factories import NOW, make_workspace
from tests.ledger import make_sender

pytestmark = pytest.mark.django_db

FRIDAY = datetime(2026, 11, 20, 10, tzinfo=UTC)
OFFICE = {"days": (1, 2, 3, 4, 5), "opens_at": time(8), "closes_at": time(18)}


def _limit(workspace: Workspace, **terms: object) -> Limit:
    return mail.set_limit(workspace=workspace, new=NewLimit(**terms), actor=SYSTEM, now=NOW)  # type: ignore[arg-type]


def _take(
    sender: SenderAccount, wanted: int = 1000, *, at: datetime = FRIDAY, to: str = "google", urgent: bool = False
) -> Allowance:
    sender.refresh_from_db()
    return take_allowance(sender=sender, destination=to, wanted=wanted, is_urgent=urgent, now=at)


def test_an_account_without_limits_costs_no_statement() -> None:
    sender = make_sender(workspace=make_workspace())

    with CaptureQueriesContext(
        connection,
    ) as statements:
        allowance = take_allowance(sender=sender, destination="google", wanted=500, is_urgent=False, now=FRIDAY)

    assert allowance == Allowance(500)
    assert len(statements) == 0


def test_a_limited_account_costs_three_statements_however_many_limits_hold() -> None:
    workspace = make_workspace()
    sender = make_sender(workspace=workspace)
    for terms in ({"most": 400}, {"most": 50, "destination": "google"}, {"most": 9, "per": Per.MINUTE}):
        _limit(workspace, **terms)
    sender.refresh_from_db()

    with CaptureQueriesContext(connection) as statements:
        allowance = take_allowance(sender=sender, destination="google", wanted=500, is_urgent=False, now=FRIDAY)

    assert allowance.count == 2
    assert allowance.good_until == FRIDAY + timedelta(seconds=2)
    assert len(statements) <= 3


def test_the_strictest_limit_wins_and_each_destination_has_its_own() -> None:
    workspace = make_workspace()
    sender = make_sender(workspace=workspace)
    _limit(workspace, most=100, per=Per.DAY)
    _limit(workspace, most=5, per=Per.DAY, destination="google")
    _limit(workspace, most=3, per=Per.DAY, destination="gmail.com")

    assert _take(sender, to="gmail.com").count == 3
    assert _take(sender, to="gmail.com").count == 0
    assert _take(sender, to="google").count == 2  # mail to gmail.com is mail to Google too
    assert _take(sender, to="microsoft").count == 85  # of 100, a tenth is kept and 5 are gone
    assert known_destinations(workspace_id=workspace.pk) == {"gmail.com": "gmail.com"}


def test_a_limit_of_an_account_or_a_domain_leaves_others_alone() -> None:
    workspace = make_workspace()
    domain = mail.create_domain(workspace=workspace, name="example.com", actor=SYSTEM, now=NOW)
    own, other = make_sender(workspace=workspace), make_sender(workspace=workspace)
    signed = make_sender(workspace=workspace)
    SenderAccount.objects.filter(pk=signed.pk).update(domain=domain)
    _limit(workspace, most=2, per=Per.DAY, sender_id=own.pk)
    _limit(workspace, most=4, per=Per.DAY, domain_id=domain.pk)

    assert [_take(one).count for one in (own, signed, other)] == [2, 4, 1000]
    other.refresh_from_db()
    assert not other.is_limited


def test_what_did_not_leave_can_be_taken_again() -> None:
    workspace = make_workspace()
    sender = make_sender(workspace=workspace)
    _limit(workspace, most=8, per=Per.DAY)
    taken = _take(sender)

    return_allowance(sender_id=sender.pk, destination="google", count=3, good_until=taken.good_until)

    assert (taken.count, _take(sender).count, _take(sender).count) == (8, 3, 0)
    assert SenderDay.objects.get().used == 8


def test_without_room_it_says_when_to_ask_again() -> None:
    workspace = make_workspace()
    sender = make_sender(workspace=workspace)
    _limit(workspace, most=400)
    _take(sender)

    refused = _take(sender)

    assert refused.count == 0
    assert refused.ready_at is not None
    assert timedelta(seconds=5) < refused.ready_at - FRIDAY < timedelta(seconds=25)
    assert _take(sender, at=refused.ready_at).count >= 1


def test_bulk_waits_for_the_window_and_urgent_mail_does_not() -> None:
    workspace = make_workspace()
    Workspace.objects.update(timezone="Europe/Berlin")
    sender = make_sender(workspace=workspace)
    _limit(workspace, **OFFICE)
    late = FRIDAY.replace(hour=17, minute=30)

    assert _take(sender, at=FRIDAY).count == 1000
    assert _take(sender, at=late) == Allowance(0, ready_at=datetime(2026, 11, 23, 7, tzinfo=UTC))
    assert _take(sender, at=late, urgent=True).count == 1000


def test_a_window_in_the_recipient_s_time_goes_by_their_clock() -> None:
    workspace = make_workspace()
    sender = make_sender(workspace=workspace)
    _limit(workspace, **OFFICE, zone=WindowZone.RECIPIENT)
    sender.refresh_from_db()
    assert goes_by_recipients(sender=sender)

    in_zone = {
        zone: take_allowance(
            sender=sender, destination="other", wanted=5, is_urgent=False, now=FRIDAY, zone=zone
        ).ready_at
        for zone in ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "", "nonsense")
    }

    assert in_zone == {
        "Europe/Berlin": None,
        "America/New_York": FRIDAY.replace(hour=13),
        "Asia/Tokyo": datetime(2026, 11, 22, 23, tzinfo=UTC),
        "": None,
        "nonsense": None,
    }


def test_urgent_mail_counts_and_may_use_the_last_tenth() -> None:
    workspace = make_workspace()
    sender = make_sender(workspace=workspace)
    _limit(workspace, most=100, per=Per.DAY)

    assert _take(sender, 5, urgent=True).count == 5
    assert _take(sender).count == 85
    assert _take(sender).count == 0
    assert _take(sender, urgent=True).count == 10


def test_windows_that_are_never_open_together_wait_and_do_not_fail() -> None:
    workspace = make_workspace()
    sender = make_sender(workspace=workspace)
    _limit(workspace, days=(1,))
    _limit(workspace, days=(2,))

    assert _take(sender) == Allowance(0, ready_at=FRIDAY + timedelta(hours=1))


def test_a_changed_number_keeps_what_is_used_up_and_a_changed_unit_begins_anew() -> None:
    workspace = make_workspace()
    sender = make_sender(workspace=workspace)
    limit = _limit(workspace, most=8, per=Per.DAY)
    _take(sender)

    new = NewLimit(most=9, per=Per.DAY)
    mail.set_limit(workspace=workspace, new=new, actor=SYSTEM, now=NOW, uid=limit.uid)
    assert _take(sender).count == 1
    mail.set_limit(workspace=workspace, new=replace(new, per=Per.HOUR), actor=SYSTEM, now=NOW, uid=limit.uid)
    assert _take(sender).count >= 1


def test_removing_the_last_limit_frees_the_account() -> None:
    workspace = make_workspace()
    sender = make_sender(workspace=workspace)
    limit = _limit(workspace, most=1, per=Per.DAY)
    _take(sender)

    mail.remove_limit(workspace=workspace, uid=limit.uid, actor=SYSTEM, now=NOW)

    assert _take(sender) == Allowance(1000)
    assert list_limits(workspace=workspace) == []
    assert set(AuditEntry.objects.values_list("act", flat=True)) >= {"limit.set", "limit.removed"}


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        ({}, BadLimit),
        ({"most": 0}, BadLimit),
        ({"most": 5, "days": (0,)}, BadLimit),
        ({"opens_at": time(8)}, BadLimit),
        ({"most": 5, "destination": "not a domain"}, BadDomain),
        ({"most": 5, "sender_id": 1, "domain_id": 1}, BadLimit),
        ({"most": 5, "sender_id": 999_999}, NoSuchSender),
        ({"most": 5, "domain_id": 999_999}, NoSuchDomain),
    ],
)
def test_what_cannot_be_a_limit_is_refused_with_a_reason(terms: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        _limit(make_workspace(), **terms)


def test_a_stranger_s_limit_cannot_be_changed_or_removed() -> None:
    limit = _limit(make_workspace(), most=5)
    stranger = make_workspace()

    with pytest.raises(NoSuchLimit):
        mail.remove_limit(workspace=stranger, uid=limit.uid, actor=SYSTEM, now=NOW)
    with pytest.raises(NoSuchLimit):
        mail.set_limit(workspace=stranger, new=NewLimit(most=9), actor=SYSTEM, now=NOW, uid=limit.uid)


def test_a_daily_limit_from_before_is_moved() -> None:
    sender = make_sender(workspace=make_workspace())
    SenderAccount.objects.update(daily_limit=40)

    with connection.cursor() as cursor:
        cursor.execute(import_module("postroom.core.mail.migrations.0009_limits").MOVE)

    assert _take(sender).count == 36
    assert _take(sender).count == 0
    assert sender.daily_limit is None
