"""Warm-ups that grow day by day, and forecasts of real batches."""

from datetime import UTC, datetime, timedelta

import pytest

from postroom.core.mail import services as mail
from postroom.core.mail.errors import BadLimit, NoSuchSender
from postroom.core.mail.models import Batch, Chunk, Limit, SenderAccount, SenderDay, Tally, WarmUp
from postroom.core.mail.selectors.plans import (
    count_today,
    find_warm_up,
    forecast_batch,
    list_warm_up_days,
    measure_pace,
)
from postroom.core.mail.services.limits import take_allowance
from postroom.core.mail.services.plans import end_warm_up, grow_warm_ups, start_warm_up
from postroom.core.mail.types import NewLimit, Per, WarmUpPlan
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.factories import NOW, make_workspace
from tests.ledger import make_batch, make_sender

pytestmark = pytest.mark.django_db

MORNING = datetime(2026, 11, 20, 6, tzinfo=UTC)
DAY = timedelta(days=1)
PLAN = WarmUpPlan(start=50, growth=40, target=500)


@pytest.fixture
def room() -> Workspace:
    return make_workspace()


@pytest.fixture
def sender(room: Workspace) -> SenderAccount:
    sender = make_sender(workspace=room)
    start_warm_up(workspace=room, uid=sender.uid, plan=PLAN, actor=SYSTEM, now=MORNING)
    sender.refresh_from_db()
    return sender


def _send_all_day(sender: SenderAccount, day: datetime) -> int:
    sent, at = 0, day
    while at < day + timedelta(hours=17):
        sent += take_allowance(sender=sender, destination="other", wanted=100, is_urgent=False, now=at).count
        at += timedelta(minutes=8)
    return sent


def test_an_account_sends_a_little_more_every_day_and_spreads_it(sender: SenderAccount) -> None:
    first = take_allowance(sender=sender, destination="other", wanted=100, is_urgent=False, now=MORNING).count
    sent = [first + _send_all_day(sender, MORNING)]
    for day in (1, 2):
        grow_warm_ups(now=MORNING + day * DAY)
        sent.append(_send_all_day(sender, MORNING + day * DAY))

    assert first == 2
    assert sent == [45, 63, 89]  # of 50, 70 and 98, the last tenth is kept
    days = list_warm_up_days(warm_up=WarmUp.objects.get(), now=MORNING + 2 * DAY)
    assert [(one.planned, one.cap, one.sent) for one in days[:4]] == [
        (50, 50, 45),
        (70, 70, 63),
        (98, 98, 89),
        (137, None, None),
    ]
    assert count_today(sender=sender, now=MORNING + 2 * DAY) == 89


def test_a_day_is_grown_once_however_many_ask(sender: SenderAccount) -> None:
    SenderDay.objects.create(sender=sender, day=MORNING.date(), used=45)

    assert grow_warm_ups(now=MORNING + timedelta(hours=1)) == 0
    assert [grow_warm_ups(now=MORNING + DAY) for _ in range(2)] == [1, 0]
    assert Limit.objects.get().most == 70


def test_a_bad_day_and_an_idle_day_let_nothing_grow(room: Workspace, sender: SenderAccount) -> None:
    grow_warm_ups(now=MORNING + DAY)
    warm_up = WarmUp.objects.get()
    assert (warm_up.step, warm_up.note) == (0, "Only 0 of 50 messages left on 20 November.")

    SenderDay.objects.create(sender=sender, day=(MORNING + DAY).date(), used=50)
    batch = make_batch(workspace=room)
    Batch.objects.filter(pk=batch.pk).update(sender=sender)
    Tally.objects.create(batch=batch, destination="other", content=batch.content, handed_over=985, bounced=15)
    grow_warm_ups(now=MORNING + 2 * DAY)
    warm_up.refresh_from_db()
    assert (warm_up.step, warm_up.note) == (0, "1.5 % of the last day's mail bounced.")
    assert Limit.objects.get().most == 50


def test_a_new_plan_replaces_the_old_one_and_ending_it_frees_the_account(
    room: Workspace, sender: SenderAccount
) -> None:
    start_warm_up(workspace=room, uid=sender.uid, plan=WarmUpPlan(9, 10, 90), actor=SYSTEM, now=MORNING)
    found = find_warm_up(sender=sender)
    assert found is not None
    assert (found.limit.most, Limit.objects.count()) == (9, 1)

    end_warm_up(workspace=room, uid=sender.uid, actor=SYSTEM, now=MORNING)
    sender.refresh_from_db()
    assert not sender.is_limited
    assert find_warm_up(sender=sender) is None


@pytest.mark.parametrize("plan", [WarmUpPlan(0, 10, 5), WarmUpPlan(9, 10, 5), WarmUpPlan(1, 0, 5)])
def test_a_plan_that_does_not_grow_is_refused(room: Workspace, sender: SenderAccount, plan: WarmUpPlan) -> None:
    with pytest.raises(BadLimit):
        start_warm_up(workspace=room, uid=sender.uid, plan=plan, actor=SYSTEM, now=MORNING)
    with pytest.raises(NoSuchSender):
        start_warm_up(workspace=make_workspace(), uid=sender.uid, plan=PLAN, actor=SYSTEM, now=MORNING)


def _batch(room: Workspace, sizes: dict[str, int]) -> Batch:
    batch = make_batch(workspace=room)
    Chunk.objects.bulk_create(
        Chunk(batch=batch, number=number, size=size, destination=name, ready_at=NOW)
        for number, (name, size) in enumerate(sizes.items())
    )
    return batch


def test_a_batch_is_forecast_from_its_limits_and_what_is_left_of_it(room: Workspace) -> None:
    batch = _batch(room, {"google": 1000, "microsoft": 1000})
    Tally.objects.create(batch=batch, destination="microsoft", content=batch.content, booked=640, handed_over=640)
    new = NewLimit(most=100, per=Per.HOUR, destination="microsoft")
    mail.set_limit(workspace=room, new=new, actor=SYSTEM, now=NOW)
    batch = Batch.objects.select_related("sender", "workspace").get(pk=batch.pk)

    said = forecast_batch(batch=batch, now=NOW)

    assert said.slowest == "microsoft"
    assert said.finishes_at is not None
    assert timedelta(hours=3.9) < said.finishes_at - NOW < timedelta(hours=4.2)


def test_without_limits_the_last_minutes_say_how_long_it_takes(room: Workspace) -> None:
    batch = _batch(room, {"other": 100_000})
    tally = Tally.objects.create(batch=batch, destination="other", content=batch.content)
    for second in range(0, 60, 5):
        Tally.objects.filter(pk=tally.pk).update(booked=1000 * second, handed_over=1000 * second)
        mail.check_brakes(batch_id=batch.pk, now=NOW + timedelta(seconds=second))
    now = NOW + timedelta(seconds=55)

    assert measure_pace(batch_id=batch.pk, now=now) == pytest.approx(1000)
    finishes_at = forecast_batch(batch=batch, now=now).finishes_at
    assert finishes_at is not None
    assert finishes_at - now == pytest.approx(timedelta(seconds=45), abs=timedelta(seconds=1))
    assert measure_pace(batch_id=batch.pk, now=now + timedelta(minutes=5)) is None


def test_what_is_held_is_not_waited_for_and_what_begins_later_is(room: Workspace) -> None:
    batch = _batch(room, {"google": 10, "other": 10})
    mail.set_limit(workspace=room, new=NewLimit(most=1000), actor=SYSTEM, now=NOW)
    Chunk.objects.filter(destination="google").update(ready_at=None)
    Chunk.objects.filter(destination="other").update(ready_at=NOW + timedelta(hours=5))
    batch = Batch.objects.select_related("sender", "workspace").get(pk=batch.pk)

    assert forecast_batch(batch=batch, now=NOW).finishes_at == NOW + timedelta(hours=5)
    Batch.objects.update(status="paused")
    batch.refresh_from_db()
    assert forecast_batch(batch=batch, now=NOW).finishes_at is None
