"""What stops a claim in flight: a limit whose grant ran out, a brake, somebody's word, a claim that is lost."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from postroom.core.mail.ports import Outcome, Result
from postroom.core.mail.rules.brakes import HOUSE, Brake
from postroom.core.mail.types import ChunkClaim, Mailing, MessageClass, Outgoing, Standing, Work
from postroom.workers.journal import ClaimJournal
from postroom.workers.sender.runs import MOST_RETURNS, Run

MAILING = Mailing(7, 9, MessageClass.MARKETING)
SENT, REFUSED = Result(Outcome.SENT, 250), Result(Outcome.FAILED, 550)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[ClaimJournal]:
    made = ClaimJournal(tmp_path / "claim")
    yield made
    made.remove()


def make_work(count: int = 3, good_until: datetime | None = None) -> Work:
    items = tuple(Outgoing(number, MAILING, (f"u{number}@x.example",), {}, "") for number in range(count))
    return Work(ChunkClaim(1, "me", 1), 5, 5, False, items, good_until=good_until)


def test_nothing_leaves_once_the_grant_of_a_limit_has_run_out(journal: ClaimJournal) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.2)
    run = Run(make_work(good_until=soon), {}, journal)
    item = run.take()
    assert item is not None
    assert run.may_leave(item)
    while datetime.now(UTC) < soon:
        pass
    assert not run.may_leave(item)
    assert run.take() is None
    assert not run.is_over
    run.give_back(item)
    assert run.is_over
    assert run.handovers == []


def test_a_brake_stops_every_run_of_its_batch_and_no_other(journal: ClaimJournal, tmp_path: Path) -> None:
    brake = Brake(HOUSE)
    ours, beside = Run(make_work(200), {}, journal, brake), Run(make_work(), {}, journal, brake)
    other = Run(make_work(), {}, journal)
    for _ in range(200):
        item = ours.take()
        if item is None:
            break
        ours.end(item, REFUSED)
    assert brake.is_on
    assert len(ours.handovers) <= 101
    assert ours.is_over
    assert beside.is_over
    assert not other.is_over
    brake.rearm()
    assert ours.is_over  # what was stopped is booked, and claimed afresh


def test_doubt_and_delay_do_not_touch_the_brake(journal: ClaimJournal) -> None:
    brake = Brake(HOUSE)
    run = Run(make_work(300), {}, journal, brake)
    for number in range(300):
        item = run.take()
        assert item is not None
        run.end(item, Result(Outcome.IN_DOUBT) if number % 2 else Result(Outcome.DEFERRED, 451))
    assert not brake.is_on


def test_a_lost_claim_and_a_stopped_batch_let_nothing_leave(journal: ClaimJournal) -> None:
    held = frozenset({(1, 1)})
    for standing in (Standing(frozenset(), frozenset(), frozenset()), Standing(held, frozenset(), frozenset({7}))):
        run = Run(make_work(), {}, journal)
        item = run.take()
        assert item is not None
        run.obey(standing)
        assert not run.may_leave(item)
        run.give_back(item)
        assert run.is_over


def test_a_message_that_always_comes_back_holds_nobody_up(journal: ClaimJournal) -> None:
    run = Run(make_work(2), {}, journal)
    for _ in range(MOST_RETURNS):
        item = run.take()
        assert item is not None
        assert item.message_id == 0
        run.give_back(item)
    assert [handover.message_id for handover in run.handovers] == [0]
    following = run.take()
    assert following is not None
    assert following.message_id == 1


def in_doubt(safe_until: float, *, route_id: int = 5, is_urgent: bool = False) -> Work:
    """Return work of one message that may have left before."""
    work = make_work(1)
    items = (work.items[0]._replace(safe_until=safe_until),)
    return replace(work, route_id=route_id, is_urgent=is_urgent, items=items)


def test_what_may_have_left_before_leaves_again_while_its_own_server_knows_it(journal: ClaimJournal) -> None:
    assert Run(in_doubt(time.time() + 60), {}, journal).take() is not None


@pytest.mark.parametrize(("seconds", "route_id"), [(-1, 5), (60, 6)])
def test_what_may_have_left_before_is_not_handed_to_a_server_that_would_send_it_twice(
    journal: ClaimJournal, seconds: float, route_id: int
) -> None:
    safe_until = time.time() + seconds
    run = Run(in_doubt(safe_until, route_id=route_id), {}, journal)
    assert run.take() is None
    assert run.is_over
    (handover,) = run.handovers
    assert handover.result is not None
    assert (handover.result.outcome, handover.result.safe_until) == (Outcome.IN_DOUBT, safe_until)
    urgent = Run(in_doubt(safe_until, route_id=route_id, is_urgent=True), {}, journal)
    assert urgent.take() is None
    assert [one.result.safe_until for one in urgent.handovers if one.result] == [0.0]


def test_what_a_stand_in_knows_is_no_help_to_the_accounts_own_server(journal: ClaimJournal) -> None:
    for route_id, known in ((5, 99.0), (6, 0.0)):
        run = Run(replace(make_work(1), route_id=route_id), {}, journal)
        item = run.take()
        assert item is not None
        run.end(item, Result(Outcome.IN_DOUBT, safe_until=99.0))
        assert [one.result.safe_until for one in run.handovers if one.result] == [known]
