"""A lane between its claims and its transport."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from postroom.core.mail.ports import Envelope, Outbox, Outcome, Result
from postroom.core.mail.rules import compose
from postroom.core.mail.types import ChunkClaim, Composition, Mailing, MessageClass, Outgoing, Work
from postroom.workers.journal import ClaimJournal
from postroom.workers.sender import lanes
from postroom.workers.sender.composer import Composer
from postroom.workers.sender.lanes import Lane
from postroom.workers.sender.lease import Lease
from postroom.workers.sender.runs import Run
from tests.workers.test_composer import PROFILE

CONTENT = compose.compile_content(
    compose.freeze(
        Composition(subject="Hi", body="<p>Hi</p>"),
        message_class=MessageClass.MARKETING,
        tracks_opens=False,
        tracks_clicks=False,
    )
)


class Taker:
    """A transport that takes everything at once and remembers it."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.stops_after = 0

    async def run(self, outbox: Outbox) -> None:
        while (envelope := outbox.next()) is not None:
            if not outbox.before_body(envelope):
                outbox.give_back(envelope)
                return
            self.taken.append(envelope)
            outbox.record(envelope, Result(Outcome.SENT, 250))

    async def close(self) -> None:
        pass


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[ClaimJournal]:
    made = ClaimJournal(tmp_path / "claim")
    yield made
    made.remove()


def make_run(journal: ClaimJournal, start: int, content: int = 9) -> Run:
    mailing = Mailing(1, content, MessageClass.MARKETING)
    items = tuple(Outgoing(start + n, mailing, (f"u{n}@x.example",), {}, "") for n in range(3))
    return Run(Work(ChunkClaim(start, "me", 1), 5, 5, start >= 100, items), {9: CONTENT}, journal)


def make_lane(transport: Taker, handed_in: list[Run]) -> Lane:
    lease = Lease(60)
    lease.renew(lease.clock())
    return Lane(Composer(PROFILE), transport, lease, handed_in.append)


async def work_off(lane: Lane) -> None:
    serving = asyncio.create_task(lane.serve(lambda *_: None))
    while lane.runs():
        await asyncio.sleep(0.001)
    lane.drain()
    await serving


def test_what_somebody_waits_for_goes_first(journal: ClaimJournal) -> None:
    transport, handed_in = Taker(), list[Run]()
    lane = make_lane(transport, handed_in)
    lane.add(make_run(journal, 1))
    lane.add(make_run(journal, 100))
    asyncio.run(work_off(lane))
    assert [envelope.message_id for envelope in transport.taken] == [100, 101, 102, 1, 2, 3]
    assert len(handed_in) == 2


def test_without_a_lease_nothing_is_taken(journal: ClaimJournal) -> None:
    transport, handed_in = Taker(), list[Run]()
    lane = Lane(Composer(PROFILE), transport, Lease(60), handed_in.append)
    lane.add(make_run(journal, 1))

    async def wait_and_drain() -> None:
        serving = asyncio.create_task(lane.serve(lambda *_: None))
        await asyncio.sleep(0.3)
        lane.drain()
        await serving

    asyncio.run(wait_and_drain())
    assert transport.taken == []
    assert [run.handovers for run in handed_in] == [[]]


def test_what_cannot_be_composed_ends_with_the_reason_and_holds_nobody_up(journal: ClaimJournal) -> None:
    transport, handed_in = Taker(), list[Run]()
    lane = make_lane(transport, handed_in)
    run = make_run(journal, 1)
    bad = run.work.items[0]._replace(to=("Kim <not an address>",))
    lane.add(Run(replace(run.work, items=(bad, *run.work.items[1:])), {9: CONTENT}, journal))
    asyncio.run(work_off(lane))
    (done,) = handed_in
    results = {handover.message_id: handover.result for handover in done.handovers}
    assert [envelope.message_id for envelope in transport.taken] == [2, 3]
    failed = results[1]
    assert failed is not None
    assert failed.outcome is Outcome.FAILED
    assert failed.text


def test_a_lane_says_when_its_account_should_be_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    lane = make_lane(Taker(), [])
    assert not lane.is_stale
    monkeypatch.setattr(lanes, "FRESH_S", -1.0)
    assert lane.is_stale
    monkeypatch.undo()
    lane.renew(Composer(replace(PROFILE, from_name="Other")))
    assert not lane.is_stale


def test_a_renewed_lane_uses_the_new_names(journal: ClaimJournal) -> None:
    transport, handed_in = Taker(), list[Run]()
    lane = make_lane(transport, handed_in)
    lane.renew(Composer(replace(PROFILE, from_name="Other")))
    lane.add(make_run(journal, 1))
    asyncio.run(work_off(lane))
    assert all(b"From: Other <desk@news.example>" in envelope.body for envelope in transport.taken)
