"""Calls are made one at a time, again and again by a schedule, until they are answered or given up: W1, W2."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.core.events.models import DomainEvent
from postroom.core.webhooks import services
from postroom.core.webhooks.errors import CallState, EndpointState
from postroom.core.webhooks.models import Call, Endpoint
from postroom.core.webhooks.types import EndpointStatus
from postroom.core.workspaces.types import SYSTEM
from tests.core.webhooks.making import answer, make_endpoint, run_down, tell, turn
from tests.factories import NOW, make_workspace

pytestmark = pytest.mark.django_db


def test_a_good_answer_ends_a_call() -> None:
    room = make_workspace()
    endpoint = make_endpoint(workspace=room)
    tell(room)
    [delivery] = turn()
    assert (delivery.url, delivery.headers["Content-Type"]) == (endpoint.url, "application/json")
    assert Call.objects.get().status == "in_progress"
    assert turn(answer(delivery, 204)) == []
    call = Call.objects.get()
    assert (call.status, call.response_code, call.answer, call.attempts, call.duration_ms) == (
        *("delivered", 204, "fine", 1),
        12,
    )
    endpoint.refresh_from_db()
    assert (endpoint.last_success_at, endpoint.failing_since, endpoint.owner) == (NOW, None, "")


def test_a_webhook_has_one_call_at_a_time_and_others_go_beside_it() -> None:
    room = make_workspace()
    for number in range(3):
        make_endpoint(workspace=room, url=f"https://example.com/{number}")
    tell(room, 5)
    first = turn()
    assert len({one.endpoint_id for one in first}) == len(first) == 3
    assert turn(owner="deliverer-2") == []
    second = turn(*[answer(one) for one in first[:2]])
    assert {one.endpoint_id for one in second} == {one.endpoint_id for one in first[:2]}


def test_calls_go_out_in_the_order_of_what_happened() -> None:
    room = make_workspace()
    make_endpoint(workspace=room)
    for number in range(5):
        tell(room, now=NOW + timedelta(seconds=number))
    later, order = NOW + timedelta(minutes=1), []
    [delivery] = turn(now=later)
    while True:
        order.append(Call.objects.get(pk=delivery.uid).created_at)
        following = turn(answer(delivery, now=later), now=later)
        if not following:
            break
        [delivery] = following
    assert order == sorted(order)
    assert len(order) == 5


def test_w1_the_standard_schedule_goes_on_for_a_day_and_then_the_call_failed() -> None:
    room = make_workspace()
    make_endpoint(workspace=room)
    tell(room)
    call = Call.objects.get()
    times = run_down(call)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    wanted = [5, 300, 1800, 7200, 18_000, 36_000, 36_000]
    assert times[0] == NOW
    assert len(gaps) == len(wanted)
    assert all(0.9 * want - 0.1 <= gap <= 1.1 * want + 0.1 for gap, want in zip(gaps, wanted, strict=True))
    call.refresh_from_db()
    assert (call.status, call.attempts) == ("failed", 8)
    assert list(DomainEvent.objects.filter(name__startswith="webhook.f").values_list("name", flat=True)) == [
        "webhook.failing"
    ]


def test_w1_a_webhook_that_fails_for_five_days_is_switched_off_and_its_waiting_calls_are_discarded() -> None:
    room = make_workspace()
    endpoint = make_endpoint(workspace=room)
    for hours in range(0, 122, 2):
        now = NOW + timedelta(hours=hours)
        tell(room, now=now)
        for delivery in turn(now=now):
            turn(answer(delivery, 503, now=now), most=0, now=now)
        endpoint.refresh_from_db()
        assert (endpoint.status == EndpointStatus.DISABLED) == (hours >= 120)
    assert not Call.objects.filter(status__in=("pending", "in_progress")).exists()
    assert DomainEvent.objects.filter(name="webhook.disabled", object_id=endpoint.pk).count() == 1
    assert tell(room) == 0


def test_w1_a_good_answer_begins_the_five_days_anew() -> None:
    room = make_workspace()
    endpoint = make_endpoint(workspace=room)
    for hours in range(0, 240, 12):
        now = NOW + timedelta(hours=hours)
        tell(room, now=now)
        for delivery in turn(now=now):
            turn(answer(delivery, 200 if hours == 108 else 503, now=now), most=0, now=now)
    endpoint.refresh_from_db()
    assert endpoint.failing_since == NOW + timedelta(hours=120)
    assert endpoint.status == (EndpointStatus.ACTIVE)


@pytest.mark.parametrize("code", [0, 301, 302, 400, 401, 404, 429, 500, 503])
def test_w2_whatever_is_not_good_is_tried_again(code: int) -> None:
    room = make_workspace()
    make_endpoint(workspace=room)
    tell(room)
    [delivery] = turn()
    turn(answer(delivery, code, error="reset" if code == 0 else ""), most=0)
    call = Call.objects.get()
    assert (call.status, call.response_code) == ("pending", code or None)
    assert call.next_attempt_at is not None
    assert timedelta(seconds=4) < call.next_attempt_at - NOW < timedelta(seconds=6)


def test_w2_gone_switches_the_webhook_off() -> None:
    room = make_workspace()
    endpoint = make_endpoint(workspace=room)
    tell(room, 2)
    [delivery] = turn()
    turn(answer(delivery, 410), most=0)
    endpoint.refresh_from_db()
    assert endpoint.status == EndpointStatus.DISABLED
    assert sorted(Call.objects.values_list("status", flat=True)) == ["discarded", "failed"]


def test_an_answer_may_ask_us_to_stay_away_longer() -> None:
    room = make_workspace()
    make_endpoint(workspace=room)
    tell(room)
    [delivery] = turn()
    said = answer(delivery, 429)
    turn(type(said)(said.delivery, NOW, code=429, retry_after_s=120), most=0)
    assert Call.objects.get().next_attempt_at == NOW + timedelta(seconds=120)


def test_what_failed_comes_before_what_is_new() -> None:
    room = make_workspace()
    make_endpoint(workspace=room)
    tell(room, 3)
    [first] = turn()
    turn(answer(first, 500), most=0)
    later = NOW + timedelta(seconds=10)
    [again] = turn(now=later)
    assert (again.uid, again.attempts) == (first.uid, 1)


def test_a_deliverer_that_died_loses_its_call_when_the_lease_ends_and_its_late_answer_counts_no_more() -> None:
    room = make_workspace()
    make_endpoint(workspace=room)
    tell(room)
    [lost] = turn()
    assert turn(owner="deliverer-2", now=NOW + timedelta(seconds=29)) == []
    [found] = turn(owner="deliverer-2", now=NOW + timedelta(seconds=31))
    assert found.uid == lost.uid
    turn(answer(lost, 200), most=0)
    assert Call.objects.get().status == "in_progress"
    turn(answer(found, 200), most=0, owner="deliverer-2")
    assert (Call.objects.get().status, Call.objects.get().attempts) == ("delivered", 1)


def test_a_call_whose_webhook_was_paused_meanwhile_is_not_tried_again() -> None:
    room = make_workspace()
    endpoint = make_endpoint(workspace=room)
    tell(room)
    [delivery] = turn()
    services.pause_endpoint(workspace=room, uid=endpoint.uid, actor=SYSTEM, now=NOW)
    turn(answer(delivery, 500), most=0)
    assert Call.objects.get().status == "discarded"


def test_a_call_whose_webhook_was_deleted_meanwhile_is_forgotten() -> None:
    room = make_workspace()
    endpoint = make_endpoint(workspace=room)
    tell(room, 2)
    [delivery] = turn()
    services.delete_endpoint(workspace=room, uid=endpoint.uid, actor=SYSTEM, now=NOW)
    assert turn(answer(delivery)) == []
    assert not Call.objects.exists()
    assert not Endpoint.objects.exists()


def test_a_call_that_cannot_be_written_down_delays_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    from postroom.core.webhooks.rules.plain import PlainWriter

    room, other = make_workspace(), make_workspace()
    make_endpoint(workspace=room)
    make_endpoint(workspace=other)
    tell(room)
    tell(other)
    write = PlainWriter.write

    def fail_for_one(self: PlainWriter, call: object) -> object:
        if getattr(call, "workspace_id", None) == room.pk:
            raise KeyError("subject")
        return write(self, call)  # type: ignore[arg-type]

    monkeypatch.setattr(PlainWriter, "write", fail_for_one)
    assert len(turn()) == 1
    bad = Call.objects.get(endpoint__workspace=room)
    assert (bad.status, bad.attempts) == ("pending", 1)
    assert "could not be written" in bad.error


def test_a_call_can_be_replayed_under_its_own_id() -> None:
    room = make_workspace()
    endpoint = make_endpoint(workspace=room)
    tell(room)
    [delivery] = turn()
    with pytest.raises(CallState):
        services.replay_call(workspace=room, uid=endpoint.uid, call_uid=delivery.uid, actor=SYSTEM, now=NOW)
    turn(answer(delivery), most=0)
    services.replay_call(workspace=room, uid=endpoint.uid, call_uid=delivery.uid, actor=SYSTEM, now=NOW)
    [again] = turn()
    assert (again.uid, again.attempts) == (delivery.uid, 0)
    assert again.headers["webhook-id"] == delivery.headers["webhook-id"] == delivery.uid.hex


def test_all_that_failed_since_an_instant_can_be_replayed() -> None:
    room = make_workspace()
    endpoint = make_endpoint(workspace=room)
    tell(room, 3)
    services.pause_endpoint(workspace=room, uid=endpoint.uid, actor=SYSTEM, now=NOW)
    with pytest.raises(EndpointState):
        services.replay_failed(workspace=room, uid=endpoint.uid, since=NOW, actor=SYSTEM, now=NOW)
    services.resume_endpoint(workspace=room, uid=endpoint.uid, actor=SYSTEM, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()

    def replay(minutes: int) -> int:
        since = now + timedelta(minutes=minutes)
        return services.replay_failed(workspace=room, uid=endpoint.uid, since=since, actor=SYSTEM, now=NOW)

    assert [replay(1), replay(-1), replay(-1)] == [0, 3, 0]


def test_a_test_call_goes_to_its_webhook_alone() -> None:
    room = make_workspace()
    endpoint = make_endpoint(workspace=room, event_types=("email.opened",))
    make_endpoint(workspace=room)
    call = services.test_endpoint(workspace=room, uid=endpoint.uid, actor=SYSTEM, now=NOW)
    [delivery] = turn()
    assert (delivery.uid, delivery.endpoint_id) == (call.uid, endpoint.pk)


def test_a_turn_costs_a_handful_of_statements_however_many_webhooks_it_serves() -> None:
    room = make_workspace()
    for number in range(40):
        make_endpoint(workspace=room, url=f"https://example.com/{number}")
    tell(room, 2)
    first = turn()
    with CaptureQueriesContext(connection) as queries:
        assert len(turn(*[answer(one) for one in first])) == 40
    assert len(queries) <= 8
