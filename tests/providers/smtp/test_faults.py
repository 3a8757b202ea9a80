"""Servers that stall, babble, close and vanish: nothing lost, nothing twice, and a clear error."""

import asyncio
import contextlib
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from postroom.core.mail.ports import Envelope, Outcome, Result
from postroom.kit.errors import Unavailable
from postroom.providers.smtp import SmtpTransport
from tests.providers.smtp.outbox import Run, StrictOutbox, deliver, envelope, envelopes, ids, impatient, settings
from tests.sinks import Fault, Plan, Sink, SinkProcess, audit


def test_421_after_some_messages_costs_a_new_connection_and_nothing_else(run: Run) -> None:
    outbox = StrictOutbox(envelopes(20))
    with Sink(Plan(max_messages=3)) as sink:
        run(deliver(outbox, settings(sink.port)))
        found = audit(ids(outbox.of(Outcome.SENT)), sink.copies)
    assert len(outbox.of(Outcome.SENT)) == 20
    assert (found.lost, found.duplicates) == (frozenset(), {})
    assert sum(outbox.given_back.values()) == 6  # the envelope behind each third message but the last
    assert sink.connections == 7


@pytest.mark.parametrize("stage", ["rcpt", "data", "dot"])
def test_421_to_an_envelope_makes_it_wait(run: Run, stage: str) -> None:
    outbox = StrictOutbox(envelopes(5))
    with Sink(Plan(faults=(Fault(stage, reply="421 4.7.0 slow down", skip=1, times=1),))) as sink:  # type: ignore[arg-type]
        run(deliver(outbox, settings(sink.port)))
    assert outbox.of(Outcome.DEFERRED) == [2]
    assert outbox.of(Outcome.SENT) == [1, 3, 4, 5]
    assert sink.connections == 2


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("has_pipelining", [True, False], ids=["pipelined", "lock-step"])
def test_a_connection_lost_before_the_content_costs_nothing(run: Run, stage: str, has_pipelining: bool) -> None:
    outbox = StrictOutbox(envelopes(8))
    fault = Fault(stage, action="drop", skip=2, times=1)  # type: ignore[arg-type]
    with Sink(Plan(faults=(fault,), has_pipelining=has_pipelining)) as sink:
        run(deliver(outbox, settings(sink.port)))
        found = audit(ids(outbox.of(Outcome.SENT)), sink.copies)
    assert len(outbox.of(Outcome.SENT)) == 8
    assert (found.lost, found.duplicates) == (frozenset(), {})
    assert outbox.given_back == {3: 1}
    assert sink.connections == 2


@pytest.mark.parametrize("has_pipelining", [True, False], ids=["pipelined", "lock-step"])
def test_a_reply_lost_after_the_dot_leaves_that_message_in_doubt_alone(run: Run, has_pipelining: bool) -> None:
    outbox = StrictOutbox(envelopes(10))
    plan = Plan(faults=(Fault("dot", action="drop", skip=4, times=1),), has_pipelining=has_pipelining)
    with Sink(plan) as sink:
        run(deliver(outbox, settings(sink.port)))
        found = audit(ids(outbox.of(Outcome.SENT)), sink.copies)
    assert outbox.of(Outcome.IN_DOUBT) == [5]
    assert len(outbox.of(Outcome.SENT)) == 9
    assert (found.lost, found.duplicates, len(found.copies)) == (frozenset(), {}, 10)
    assert outbox.given_back == ({6: 1} if has_pipelining else {})


def test_a_server_that_never_answers_the_dot_is_left_after_three_doubts(run: Run) -> None:
    outbox = StrictOutbox(envelopes(100), keeps_back=True)
    with Sink(Plan(faults=(Fault("dot", action="drop"),))) as sink, pytest.raises(Unavailable) as caught:
        run(deliver(outbox, settings(sink.port)))
    assert outbox.of(Outcome.IN_DOUBT) == [1, 3, 5]
    assert sum(outbox.given_back.values()) == 3
    assert not caught.value.permanent
    assert f"127.0.0.1:{sink.port}" in caught.value.message


def test_a_slow_final_answer_is_waited_for(run: Run) -> None:
    """An answer after most of the 600 seconds of RFC 5321 section 4.5.3.2.6, at 1/500 scale: one copy, not two."""
    outbox = StrictOutbox(envelopes(2))
    with Sink(Plan(faults=(Fault("dot", delay_s=590 / 600, times=1),))) as sink:
        run(deliver(outbox, settings(sink.port, timeouts=impatient(500))))
    assert outbox.of(Outcome.SENT) == [1, 2]
    assert len(sink.copies) == 2
    assert sink.connections == 1


@pytest.mark.parametrize(("stage", "in_doubt"), [("mail", []), ("rcpt", []), ("data", []), ("dot", [2])])
@pytest.mark.parametrize("action", ["stall", "drip"])
def test_a_server_that_stalls_or_drips_is_left_in_time(run: Run, stage: str, in_doubt: list[int], action: str) -> None:
    outbox = StrictOutbox(envelopes(5))
    fault = Fault(stage, action=action, delay_s=0.01, skip=1, times=1)  # type: ignore[arg-type]
    with Sink(Plan(faults=(fault,))) as sink:
        run(deliver(outbox, settings(sink.port, timeouts=impatient(1000))))
    assert outbox.of(Outcome.IN_DOUBT) == in_doubt
    assert len(outbox.of(Outcome.SENT)) == 5 - len(in_doubt)
    assert audit(ids(outbox.of(Outcome.SENT)), sink.copies).duplicates == {}
    assert sink.connections == 2


@pytest.mark.parametrize("stage", ["greeting", "ehlo", "mail", "dot"])
def test_a_reply_without_end_is_cut_off(run: Run, stage: str) -> None:
    outbox = StrictOutbox(envelopes(4), keeps_back=True)
    fault = Fault(stage, action="flood")  # type: ignore[arg-type]
    with Sink(Plan(faults=(fault,))) as sink, pytest.raises(Unavailable, match="a reply that does not end"):
        run(deliver(outbox, settings(sink.port, max_losses=1)))


@pytest.mark.parametrize(
    ("fault", "permanent", "words"),
    [
        (Fault("greeting", reply="554 5.7.1 go away"), True, "greeting: the server answered 554 5.7.1 go away"),
        (Fault("greeting", reply="421 4.3.2 not now"), False, "greeting: the server answered 421 4.3.2 not now"),
        (Fault("greeting", action="drop"), False, "greeting: it closed the connection"),
        (Fault("greeting", action="stall"), False, "greeting: no answer within"),
        (Fault("greeting", action="drip", delay_s=0.02), False, "greeting: no answer within"),
        (Fault("greeting", reply="SSH-2.0-OpenSSH"), False, "no SMTP|no reply"),
        (Fault("ehlo", reply="421 4.3.2 not now"), False, "EHLO: the server answered 421"),
        (Fault("ehlo", action="drop"), False, "closed the connection"),
    ],
)
def test_a_server_that_does_not_open_gives_a_clear_error(run: Run, fault: Fault, permanent: bool, words: str) -> None:
    outbox = StrictOutbox(envelopes(3))
    with Sink(Plan(faults=(fault,))) as sink, pytest.raises(Unavailable, match=words) as caught:
        run(deliver(outbox, settings(sink.port, timeouts=impatient(1000), max_connections=4)))
    assert caught.value.permanent is permanent
    assert outbox.given_back == {1: 1}
    assert outbox.results == {}
    assert sink.connections == 1


def test_nobody_at_the_port_gives_a_clear_error(run: Run) -> None:
    outbox = StrictOutbox(envelopes(3))
    with socket.socket() as vacant:
        vacant.bind(("127.0.0.1", 0))
        with pytest.raises(Unavailable, match="connect: the connection failed") as caught:
            run(deliver(outbox, settings(vacant.getsockname()[1])))
    assert not caught.value.permanent
    assert outbox.given_back == {1: 1}


def test_ehlo_unknown_falls_back_to_helo(run: Run) -> None:
    outbox = StrictOutbox(envelopes(3))
    with Sink(Plan(faults=(Fault("ehlo", reply="502 5.5.1 what?", match="EHLO"),))) as sink:
        run(deliver(outbox, settings(sink.port)))
    assert outbox.of(Outcome.SENT) == [1, 2, 3]


def test_few_connections_allowed_is_enough_to_send_everything(run: Run) -> None:
    """A server that greets only the first two of our eight connections."""
    outbox = StrictOutbox(envelopes(100))
    plan = Plan(faults=(Fault("greeting", reply="421 4.7.0 too many connections", skip=2), Fault("dot", delay_s=0.01)))
    with Sink(plan) as sink:
        run(deliver(outbox, settings(sink.port, max_connections=8)))
    assert len(outbox.of(Outcome.SENT)) == 100
    assert audit([], sink.copies).duplicates == {}


def test_one_connection_is_enough_when_the_server_allows_no_other(run: Run) -> None:
    """What the refused connection gives back is sent by the one that stands, and a final refusal is not repeated."""
    outbox = StrictOutbox(envelopes(2))
    with Sink(Plan(faults=(Fault("greeting", reply="554 5.7.1 one is enough", skip=1),))) as sink:
        run(deliver(outbox, settings(sink.port, max_connections=2)))
    assert outbox.of(Outcome.SENT) == [1, 2]
    assert outbox.given_back == {2: 1}
    assert sink.connections == 2


def test_content_that_the_server_stops_reading_is_deferred_not_in_doubt(run: Run) -> None:
    """Part of a large body never left, so the server cannot have the message; no wait for the dot is due."""
    large = envelope(1, body=b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 2_000_000)
    outbox = StrictOutbox([large, envelope(2)])
    with Sink(Plan(faults=(Fault("content", action="deaf", times=1),))) as sink:
        run(deliver(outbox, settings(sink.port, timeouts=replace(impatient(600), final=60.0))))
    assert outbox.of(Outcome.DEFERRED) == [1]
    assert outbox.of(Outcome.SENT) == [2]


def test_content_that_leaves_slowly_has_all_its_time(run: Run) -> None:
    """Seconds of reading, though no single pause may last half a second."""
    large = envelope(1, body=b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 800_000)
    outbox = StrictOutbox([large, envelope(2)])
    with Sink(Plan(faults=(Fault("content", action="slow", delay_s=0.02, times=1),))) as sink:
        run(deliver(outbox, settings(sink.port, timeouts=replace(impatient(60), block=0.5))))
    assert outbox.of(Outcome.SENT) == [1, 2]
    assert sink.connections == 1


def test_a_refusal_in_the_middle_of_the_content_counts(run: Run) -> None:
    large = envelope(1, body=b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 500_000)
    outbox = StrictOutbox([large, envelope(2)])
    with Sink(Plan(faults=(Fault("content", reply="552 5.3.4 too large", times=1),))) as sink:
        run(deliver(outbox, settings(sink.port)))
    assert outbox.of(Outcome.FAILED) == [1]
    assert outbox.results[1].enhanced == "5.3.4"
    assert outbox.of(Outcome.SENT) == [2]


@pytest.mark.parametrize("reply", ["354 and now?", "099 odd", "2x0 odd", "hello", "250-a\r\n450 b"])
def test_nonsense_after_the_dot_is_doubt(run: Run, reply: str) -> None:
    outbox = StrictOutbox(envelopes(3))
    with Sink(Plan(faults=(Fault("dot", reply=reply, times=1),))) as sink:
        run(deliver(outbox, settings(sink.port)))
    assert outbox.of(Outcome.IN_DOUBT) == [1]
    assert outbox.of(Outcome.SENT) == [2, 3]


def test_an_answer_counts_even_when_nonsense_follows_it(run: Run) -> None:
    outbox = StrictOutbox(envelopes(3))
    with Sink(Plan(faults=(Fault("dot", reply="250 2.0.0 kept\r\nnonsense", times=1),))) as sink:
        run(deliver(outbox, settings(sink.port)))
    assert outbox.of(Outcome.SENT) == [1, 2, 3]
    assert audit([], sink.copies).duplicates == {}
    assert sink.connections == 2


def test_connections_stay_open_between_runs_and_are_replaced_when_the_server_dropped_them(run: Run) -> None:
    outbox = StrictOutbox(envelopes(3))

    async def three_runs(sink: Sink) -> list[int]:
        transport = SmtpTransport(settings(sink.port))
        connections = []
        for number in range(3):
            if number == 2:
                await asyncio.to_thread(sink.drop_all)
                await asyncio.sleep(0.05)
            outbox.waiting.extend([envelope(10 + number)])
            await transport.run(outbox)
            connections.append(sink.connections)
        await transport.close()
        return connections

    with Sink() as sink:
        assert run(three_runs(sink)) == [1, 1, 2]
    assert len(outbox.of(Outcome.SENT)) == 6
    assert not outbox.given_back
    outbox.check()


def test_a_connection_that_rested_too_long_is_not_trusted(run: Run) -> None:
    """A firewall may have forgotten it, and then nobody would answer for minutes."""
    outbox = StrictOutbox([])

    async def send_rest_send(port: int) -> None:
        transport = SmtpTransport(settings(port, max_idle_s=0.05))
        for number in range(3):
            outbox.waiting.append(envelope(number))
            await transport.run(outbox)
            await asyncio.sleep(0.1 * number)
        await transport.close()

    with Sink() as sink:
        run(send_rest_send(sink.port))
    assert outbox.of(Outcome.SENT) == [0, 1, 2]
    assert sink.connections == 2
    assert [line for line in sink.commands if line == b"QUIT"] == [b"QUIT"] * 2


def test_cancelling_settles_everything(run: Run) -> None:
    outbox = StrictOutbox(envelopes(20), keeps_back=True)

    async def cancel_in_the_middle(port: int) -> None:
        task = asyncio.create_task(deliver(outbox, settings(port, max_connections=3)))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with Sink(Plan(faults=(Fault("dot", action="stall", skip=5),))) as sink:
        run(cancel_in_the_middle(sink.port))
    assert len(outbox.of(Outcome.SENT)) == 5
    assert len(outbox.of(Outcome.IN_DOUBT)) == 3
    outbox.check()


@pytest.mark.parametrize(("method", "fewest", "most"), [("next", 2, 2), ("before_body", 3, 4), ("record", 5, 6)])
def test_an_outbox_that_breaks_is_heard_and_stops_the_sending(run: Run, method: str, fewest: int, most: int) -> None:
    class Broken(StrictOutbox):
        """Fails at its fifth call of one method."""

        calls = 0

        def _count(self, name: str) -> None:
            self.calls += name == method
            if name == method and self.calls == 5:
                raise OSError("the disk is full")

        def next(self) -> Envelope | None:
            self._count("next")
            return super().next()

        def before_body(self, envelope: Envelope) -> bool:
            self._count("before_body")
            return super().before_body(envelope)

        def record(self, envelope: Envelope, result: Result) -> None:
            super().record(envelope, result)
            self._count("record")

    outbox = Broken(envelopes(50), keeps_back=True)
    with Sink() as sink, pytest.raises(OSError, match="the disk is full"):
        run(deliver(outbox, settings(sink.port, max_connections=2)))
    assert fewest <= len(outbox.of(Outcome.SENT)) <= most
    assert len(sink.copies) == len(outbox.of(Outcome.SENT))


FAULTS = st.builds(
    Fault,
    stage=st.sampled_from(["greeting", "ehlo", "mail", "rcpt", "data", "content", "dot"]),
    action=st.sampled_from(["", "", "", "drop", "stall"]),
    reply=st.sampled_from(["450 4.2.0 later", "550 5.0.0 no", "421 4.3.2 closing", "354 odd", "250 2.0.0 fine", "?"]),
    skip=st.integers(0, 12),
    times=st.integers(1, 4),
).filter(lambda fault: fault.stage != "content" or fault.reply[0] != "2")  # against that lie no client can help


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(faults=st.lists(FAULTS, max_size=5), has_pipelining=st.booleans(), connections=st.integers(1, 3))
def test_whatever_goes_wrong_every_envelope_ends_once(
    faults: list[Fault], has_pipelining: bool, connections: int
) -> None:
    """One ending each, no second copy, no more bodies in the air than connections, and every SENT message arrived."""
    outbox = StrictOutbox(envelopes(15), keeps_back=True)
    with Sink(Plan(faults=tuple(faults), has_pipelining=has_pipelining)) as sink:
        chosen = settings(sink.port, max_connections=connections, timeouts=impatient(6000))
        with contextlib.suppress(Unavailable):
            asyncio.run(deliver(outbox, chosen))
        acknowledged = [copy for copy in sink.copies if copy.is_acked]
    found = audit(ids(outbox.of(Outcome.SENT)), acknowledged)
    assert (found.lost, found.duplicates) == (frozenset(), {})
    assert set(found.copies) <= set(ids(outbox.of(Outcome.SENT) + outbox.of(Outcome.IN_DOUBT)))
    assert outbox.most_flying <= connections
    assert len(outbox.results) + len(outbox.given_back) + len(outbox.waiting) == 15


def test_a_sink_of_its_own_process_keeps_its_copies_over_a_restart(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "copies.log"
    outbox = StrictOutbox(envelopes(30))
    with SinkProcess(log, Plan(max_messages=7)) as sink:
        run(deliver(outbox, settings(sink.port, max_connections=2)))
    outbox.waiting.extend([envelope(number) for number in range(31, 41)])
    with SinkProcess(log) as again:
        run(deliver(outbox, settings(again.port)))
        found = audit(ids(outbox.of(Outcome.SENT)), again.copies)
    assert (found.lost, found.duplicates, len(found.copies)) == (frozenset(), {}, 40)
