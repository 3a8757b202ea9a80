"""What an earlier call may have done is not forgotten over a later one; what was stopped does not leave."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from postroom.core.mail.ports import Envelope, Outcome
from postroom.kit.errors import Unavailable
from tests.providers.esp.outbox import EspOutbox, build, carry, letter
from tests.stand_ins.esp import StandIn

Start = Callable[..., StandIn]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[StandIn] = []

    def make(provider: str, *moods: str) -> StandIn:
        started.append(StandIn(provider))
        started[-1].moods.extend(moods)
        return started[-1]

    yield make
    for one in started:
        one.stop()


@pytest.mark.parametrize("mood", ["denied", "slow_down"])
@pytest.mark.parametrize("provider", ["brevo", "resend"])
def test_a_refusal_of_the_repeat_leaves_the_first_call_in_doubt(start: Start, provider: str, mood: str) -> None:
    stand_in = start(provider, "ok", "lost", mood)
    outbox = carry(build(stand_in, max_connections=1), [letter(number) for number in range(1, 4)], keeps_back=False)
    (doubtful,) = outbox.of(Outcome.IN_DOUBT)
    assert outbox.results[doubtful].safe_until > 0
    assert doubtful not in outbox.given_back
    assert stand_in.taken[str(doubtful)] == 1
    assert isinstance(outbox.failure, Unavailable) is (mood == "denied")


def test_what_is_stopped_after_a_refused_batch_does_not_leave_one_by_one(start: Start) -> None:
    stand_in = start("postmark", "invalid")
    outbox = EspOutbox([letter(number) for number in range(1, 6)], keeps_back=False)

    def refuses(_: Envelope) -> bool:
        """Whether somebody stopped it meanwhile; then it does not come again."""
        outbox._keeps_back = bool(stand_in.calls)
        return outbox._keeps_back

    outbox.refuses = refuses
    transport = build(stand_in, batch_size=10, max_connections=1)

    async def go() -> None:
        await transport.run(outbox)
        await transport.close()

    asyncio.run(go())
    outbox.check()
    assert (len(stand_in.calls), sum(stand_in.taken.values())) == (1, 0)
