"""What happens to envelopes on the wire when all is well and when the server refuses, with exact counts."""

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import pytest
from aiosmtpd.smtp import SMTP
from aiosmtpd.smtp import Envelope as SmtpEnvelope
from aiosmtpd.smtp import Session as SmtpSession
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from postroom.core.mail.ports import Envelope, Outcome, Result
from postroom.providers.smtp.guarded import GuardedOutbox
from postroom.providers.smtp.pipeline import Pipeline
from postroom.providers.smtp.session import Features, Session
from postroom.providers.smtp.wire import Listener, Wire
from tests.providers.smtp.outbox import PATIENT, Run, StrictOutbox, deliver, envelope, envelopes, ids, settings
from tests.sinks import Fault, Plan, Sink, audit

PIPELINING = pytest.mark.parametrize("has_pipelining", [True, False], ids=["pipelined", "lock-step"])


@PIPELINING
def test_every_message_arrives_once_over_several_connections(run: Run, has_pipelining: bool) -> None:
    outbox = StrictOutbox(envelopes(200))
    with Sink(Plan(has_pipelining=has_pipelining)) as sink:
        run(deliver(outbox, settings(sink.port, max_connections=4)))
        found = audit(ids(outbox.of(Outcome.SENT)), sink.copies)
    assert len(outbox.of(Outcome.SENT)) == 200
    assert (found.lost, found.duplicates, len(found.copies)) == (frozenset(), {}, 200)
    assert sink.connections == 4
    assert outbox.most_flying <= 4


def test_a_short_queue_opens_no_needless_connections(run: Run) -> None:
    with Sink() as sink:
        run(deliver(StrictOutbox(envelopes(2)), settings(sink.port, max_connections=16)))
    assert sink.connections == 2


def test_the_next_commands_travel_with_the_content(run: Run) -> None:
    """Ten messages on one connection cost one write each after the first, so the sink's replies come in bundles."""
    with Sink() as sink:
        run(deliver(StrictOutbox(envelopes(10)), settings(sink.port)))
        verbs = [line.split(b" ")[0] for line in sink.commands]
    assert verbs == [b"EHLO", *[b"MAIL", b"RCPT", b"DATA"] * 10, b"QUIT"]


def test_the_answer_is_read_with_its_status_and_queue_id(run: Run) -> None:
    outbox = StrictOutbox(envelopes(1))
    with Sink(Plan(faults=(Fault("dot", reply="250 2.6.0 <x> Ok: queued as 4B2C9"),))) as sink:
        run(deliver(outbox, settings(sink.port)))
    result = outbox.results[1]
    assert (result.outcome, result.code, result.enhanced, result.provider_id) == (Outcome.SENT, 250, "2.6.0", "4B2C9")


@PIPELINING
@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize(
    ("reply", "outcome", "enhanced"),
    [("450 4.2.1 busy", Outcome.DEFERRED, "4.2.1"), ("550 5.1.1 who?", Outcome.FAILED, "5.1.1")],
)
def test_a_refusal_is_about_its_own_envelope_only(
    run: Run, has_pipelining: bool, stage: str, reply: str, outcome: Outcome, enhanced: str
) -> None:
    outbox = StrictOutbox(envelopes(10))
    fault = Fault(stage, reply=reply, skip=3, times=2)  # type: ignore[arg-type]
    with Sink(Plan(faults=(fault,), has_pipelining=has_pipelining)) as sink:
        run(deliver(outbox, settings(sink.port)))
        found = audit(ids(outbox.of(Outcome.SENT)), sink.copies)
    assert outbox.of(outcome) == [4, 5]
    assert outbox.of(Outcome.SENT) == [1, 2, 3, 6, 7, 8, 9, 10]
    assert (found.lost, found.duplicates, len(found.copies)) == (frozenset(), {}, 8)
    assert (outbox.results[4].code, outbox.results[4].enhanced) == (int(reply[:3]), enhanced)
    assert sink.connections == 1
    assert not outbox.given_back


def test_a_354_without_recipients_gets_a_lone_dot(run: Run) -> None:
    outbox = StrictOutbox(envelopes(5))
    faults = (Fault("rcpt", reply="550 5.1.1 who?", skip=1, times=2), Fault("data", reply="354 go ahead anyway"))
    with Sink(Plan(faults=faults)) as sink:
        run(deliver(outbox, settings(sink.port)))
    assert outbox.of(Outcome.FAILED) == [2, 3]
    assert outbox.of(Outcome.SENT) == [1, 4, 5]
    assert len(sink.copies) == 3
    assert sink.connections == 1


@PIPELINING
def test_some_recipients_may_be_refused(run: Run, has_pipelining: bool) -> None:
    several = envelope(1, recipients=("a@example.net", "b@example.net", "c@example.net"))
    outbox = StrictOutbox([several, envelope(2)])
    with Sink(
        Plan(faults=(Fault("rcpt", reply="550 5.1.1 who?", match="<b@"),), has_pipelining=has_pipelining)
    ) as sink:
        run(deliver(outbox, settings(sink.port)))
    assert outbox.of(Outcome.SENT) == [1, 2]
    assert outbox.results[1].recipient_replies == (("b@example.net", 550, "5.1.1 who?"),)
    assert sink.copies[0].recipients == ("a@example.net", "c@example.net")


@PIPELINING
def test_all_recipients_refused_for_different_reasons_is_worth_another_try(run: Run, has_pipelining: bool) -> None:
    outbox = StrictOutbox([envelope(1, recipients=("a@example.net", "b@example.net"))])
    faults = (Fault("rcpt", reply="550 5.1.1 who?", match="<a@"), Fault("rcpt", reply="451 4.3.0 later", match="<b@"))
    with Sink(Plan(faults=faults, has_pipelining=has_pipelining)) as sink:
        run(deliver(outbox, settings(sink.port)))
    result = outbox.results[1]
    assert (result.outcome, result.code, result.enhanced) == (Outcome.DEFERRED, 451, "4.3.0")
    assert [(address, code) for address, code, _ in result.recipient_replies] == [
        ("a@example.net", 550),
        ("b@example.net", 451),
    ]


@PIPELINING
def test_a_body_that_must_not_leave_does_not(run: Run, has_pipelining: bool) -> None:
    outbox = StrictOutbox(envelopes(6), keeps_back=True)
    outbox.refuses = lambda candidate: candidate.message_id in {3, 4}
    with Sink(Plan(has_pipelining=has_pipelining)) as sink:
        run(deliver(outbox, settings(sink.port)))
    # 4 had been announced behind 2's or 3's content when 3 was withheld; without PIPELINING each stands alone.
    assert outbox.given_back == {3: 1, 4: 1}
    assert outbox.of(Outcome.SENT) == [1, 2, 5, 6]
    assert [copy.message_id for copy in sink.copies] == ids([1, 2, 5, 6])


def test_dots_at_line_starts_survive(run: Run) -> None:
    bodies = [
        b".first\r\n..second\r\n.\r\nend\r\n",
        b"Subject: x\r\n\r\n.\r\n.\r\n",
        b"no line end at all",
        b".",
        b"a\r\n\r\n",
    ]
    outbox = StrictOutbox(envelope(number, body=body) for number, body in enumerate(bodies))
    with Sink(Plan(keeps_bodies=True)) as sink:
        run(deliver(outbox, settings(sink.port)))
    expected = [body if body.endswith(b"\r\n") else body + b"\r\n" for body in bodies]
    assert [copy.body for copy in sink.copies] == expected


@PIPELINING
def test_a_server_that_is_not_ours_reads_the_same_messages(run: Run, has_pipelining: bool) -> None:
    received: list[bytes] = []

    class Keeper:
        """Keeps the content aiosmtpd read."""

        async def handle_DATA(self, server: SMTP, session: SmtpSession, read: SmtpEnvelope) -> str:
            received.append(read.original_content or b"")
            return "250 2.0.0 kept"

        async def handle_EHLO(
            self, server: SMTP, session: SmtpSession, given: SmtpEnvelope, name: str, lines: list[str]
        ) -> list[str]:
            session.host_name = name
            return [*lines[:-1], *(["250-PIPELINING"] if has_pipelining else []), lines[-1]]

    async def send() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(Keeper(), loop=loop, hostname="other"), "127.0.0.1", 0)
        await deliver(outbox, settings(server.sockets[0].getsockname()[1]))
        server.close()
        await server.wait_closed()

    bodies = [f"Subject: {number}\r\n\r\n.dots\r\n.\r\n..\r\n{number}\r\n".encode() for number in range(20)]
    outbox = StrictOutbox(envelope(number, body=body) for number, body in enumerate(bodies))
    run(send())
    assert len(outbox.of(Outcome.SENT)) == 20
    assert received == bodies


def test_a_large_message_arrives_whole(run: Run) -> None:
    body = b"Subject: large\r\n\r\n" + b".0123456789" * 5 + b"\r\n.dots and more\r\n" * 400_000
    outbox = StrictOutbox([envelope(1), envelope(2, body=body), envelope(3)])
    with Sink(Plan(keeps_bodies=True)) as sink:
        run(deliver(outbox, settings(sink.port)))
    assert outbox.of(Outcome.SENT) == [1, 2, 3]
    assert sink.copies[1].body == body


def test_a_result_says_where_and_after_which_replies_it_came_about(run: Run) -> None:
    outbox = StrictOutbox([*envelopes(3), envelope(4, recipients=("u4@example.net", "v4@example.net"))])
    refusals = (Fault("rcpt", reply="550 5.1.1 unknown", match="u2@"), Fault("rcpt", reply="550 5.1.1 no", match="v4@"))
    with Sink(Plan(faults=refusals)) as sink:
        run(deliver(outbox, settings(sink.port, max_connections=1)))
        address = f"127.0.0.1:{sink.port}"
    good = "MAIL: 250 2.1.0 Ok\nRCPT: 250 2.1.5 Ok\nDATA: 354 go ahead\n"
    assert {result.session for result in outbox.results.values()} == {
        f"{address} [127.0.0.1], no encryption, not signed in: sink ESMTP"
    }
    assert outbox.results[1].dialogue == good
    assert outbox.results[3].dialogue == f"RSET: 250 2.0.0 Ok\n{good}"
    assert outbox.results[2].dialogue.startswith("MAIL: 250 2.1.0 Ok\nRCPT: 550 5.1.1 unknown\nDATA: 554")
    assert "RCPT: 550 5.1.1 no\n" in outbox.results[4].dialogue


class _Socket(asyncio.Transport):
    """The other end of a wire that never leaves the test."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_gone = False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def abort(self) -> None:
        self.is_gone = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0


OPENING = b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go\r\n"
FINALS = (b"250 2.0.0 Ok: queued as A1\r\n", b"250-2.0.0 one\r\n250 2.0.0 queued as B2\r\n", b"451 4.3.0 later\r\n")
OPENINGS = (
    OPENING,
    b"250 one\r\n250 <u@x>\r\n354 two\r\n",
    b"250-a\r\n250 b\r\n250 c\r\n354 d\r\n",
    b"250 a\r\n550 5.1.1 no\r\n554 5.5.1 none\r\n",
)


@hypothesis_settings(max_examples=150, deadline=None)
@given(
    talk=st.lists(st.tuples(st.sampled_from(OPENINGS), st.sampled_from(FINALS)), min_size=1, max_size=6),
    cuts=st.lists(st.integers(1, 40), max_size=30),
)
def test_however_replies_are_cut_they_mean_the_same(talk: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    whole = asyncio.run(_talk(talk, []))
    assert asyncio.run(_talk(talk, cuts)) == whole
    assert len(whole) == len(talk)


async def _talk(talk: list[tuple[bytes, bytes]], cuts: list[int]) -> dict[int, Result]:
    """Return the results of a talk whose replies come in pieces of these sizes, and then in whole."""
    outbox = StrictOutbox(envelopes(len(talk)))
    socket = _Socket()
    wire = Wire(cast(Listener, None))
    wire.connection_made(socket)
    pipeline = Pipeline(Session(wire, Features(has_pipelining=True), "here"), PATIENT)
    carrying = asyncio.create_task(pipeline.carry(GuardedOutbox(outbox), cast(Envelope, outbox.next())))
    await asyncio.sleep(0)
    sizes = iter(cuts)
    for replies in _groups(talk):
        while replies:
            size = next(sizes, len(replies))
            wire.data_received(replies[:size])
            replies = replies[size:]
    assert await carrying == ""
    outbox.check()
    return outbox.results


def _groups(talk: list[tuple[bytes, bytes]]) -> Iterator[bytes]:
    """Yield what a server says between our writes: the word on a message together with the answers to what follows."""
    before = b""
    for opening, final in talk:
        yield before + opening
        before = final if b"354" in opening else b"250 reset\r\n"
    if b"354" in talk[-1][0]:
        yield before
