"""What may not be said in SMTP is refused before it is said."""

import asyncio

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from postroom.core.mail.ports import Outcome
from postroom.providers.smtp.errors import EnvelopeRefused
from postroom.providers.smtp.session import Features
from postroom.providers.smtp.transactions import END, prepare, read_mailbox, stuff
from tests.providers.smtp.outbox import Run, StrictOutbox, deliver, envelope, settings
from tests.sinks import Plan, Sink, unstuff

BAD_ADDRESSES = [
    "",
    "nobody",
    "@example.net",
    "a@",
    "a b@example.net",
    "a@exam ple.net",
    "a@example.net\r\nRCPT TO:<evil@example.net>",
    "a@example.net\nDATA",
    "a@example.net\r",
    "a\r\n@example.net",
    "a\x00b@example.net",
    "a@example.net>\r\nDATA\r\n",
    "a@example.net> SIZE=1",
    "<a@example.net>",
    "a@b@example.net",
    "a,b@example.net",
    "a@example..net",
    "a@-example.net",
    ".a@example.net",
    "a..b@example.net",
    '"a\r\nDATA\r\n"@example.net',
    '"a\\\r\n"@example.net',
    '"unclosed@example.net',
    "a@example.net\u2028",
    "a\u0085b@example.net",
    "a@\ud800.net",
    "\ud800@example.net",
    "a@exa\u200bmple.net\r\n",
    "a@" + "x" * 64 + ".net",
    "x" * 65 + "@example.net",
    "a@" + "x." * 130 + "net",
    "a@[127.0.0.1\r\n]",
    "\u00fc" * 40 + "@example.net",
]


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_a_bad_address_is_never_said(run: Run, address: str) -> None:
    outbox = StrictOutbox(
        [
            envelope(1, recipients=("fine@example.net", address)),
            envelope(2, return_path=address or "nobody"),
            envelope(3),
        ]
    )
    with Sink() as sink:
        run(deliver(outbox, settings(sink.port)))
    assert outbox.of(Outcome.FAILED) == [1, 2]
    assert outbox.of(Outcome.SENT) == [3]
    assert (outbox.results[1].enhanced, outbox.results[2].enhanced) == ("5.1.3", "5.1.7")
    assert [line.split(b" ")[0] for line in sink.commands] == [b"EHLO", b"MAIL", b"RCPT", b"DATA", b"QUIT"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("a.b+tag=x@example.net", b"a.b+tag=x@example.net"),
        ("o'neil/x{y}@sub.example.net", b"o'neil/x{y}@sub.example.net"),
        ('"a b\\"c"@example.net', b'"a b\\"c"@example.net'),
        ("a@[127.0.0.1]", b"a@[127.0.0.1]"),
        ("a@b\u00fccher.example", b"a@xn--bcher-kva.example"),
        ("J\u00fcrgen@\u4f8b\u3048.jp", "J\u00fcrgen@xn--r8jz45g.jp".encode()),
    ],
)
def test_a_good_address_is_said_as_it_is_with_its_domain_in_ascii(address: str, said: bytes) -> None:
    assert read_mailbox(address, "5.1.3") == said


@given(text=st.text(max_size=40))
def test_no_text_whatever_becomes_two_commands(text: str) -> None:
    for address in (text, f"{text}@example.net", f"a@{text}"):
        try:
            said = read_mailbox(address, "5.1.3")
        except EnvelopeRefused:
            continue
        assert not set(said) & set(b"\r\n\x00<>")
        assert b" " not in said or said.startswith(b'"')


def test_the_empty_return_path_of_a_bounce_is_said(run: Run) -> None:
    outbox = StrictOutbox([envelope(1, return_path="")])
    with Sink() as sink:
        run(deliver(outbox, settings(sink.port)))
    assert sink.commands[1] == b"MAIL FROM:<>"
    assert outbox.of(Outcome.SENT) == [1]


@pytest.mark.parametrize(
    "body",
    [
        b"a\nb\r\n",
        b"a\rb\r\n",
        b"a\r\n.\nMAIL FROM:<x@y>\r\n",
        b"a\n.\r\nb\r\n",
        b"a\r.\r\n",
        b"a\r\r\n",
        b"a\n",
        b"a\r",
        b"\n.\n",
        b"a\r\n.\rb\nc\r\n",
        b"x\n\r\n",
        b"\r\n.b\r\na\n\r",
    ],
)
def test_a_bare_line_end_is_never_sent(run: Run, body: bytes) -> None:
    outbox = StrictOutbox([envelope(1, body=body), envelope(2)])
    with Sink() as sink:
        run(deliver(outbox, settings(sink.port)))
    assert outbox.of(Outcome.FAILED) == [1]
    assert outbox.results[1].enhanced == "5.6.0"
    assert [copy.message_id for copy in sink.copies] == ["<2@example.com>"]


@given(
    st.lists(st.sampled_from([b"\r\n", b".", b"\r", b"\n", b"a", b"\r\n.", b"\r\n.\r\n"]), max_size=12).map(b"".join)
)
@example(b"\n\n\r\r")  # as many CR as LF, and an odd end
def test_content_has_one_end_and_no_bare_line_end(body: bytes) -> None:
    has_bare = b"\r" in body.replace(b"\r\n", b"") or b"\n" in body.replace(b"\r\n", b"")
    if has_bare:
        with pytest.raises(EnvelopeRefused):
            stuff(body)
        return
    content = b"\r\n" + stuff(body) + END
    assert content.index(b"\r\n.\r\n") == len(content) - 5
    received = unstuff(content[2:-3])
    assert received == (body if body.endswith(b"\r\n") or not body else body + b"\r\n")


@pytest.mark.parametrize(
    ("plan", "changes", "enhanced", "words"),
    [
        (Plan(size=20_000), {"body": b"x" * 20_001}, "5.3.4", "20001 octets, the server takes 20000"),
        (Plan(extensions=()), {"body": "gr\u00fc\u00df\r\n".encode()}, "5.6.3", "8-bit"),
        (Plan(extensions=("8BITMIME",)), {"recipients": ("j\u00fcrgen@example.net",)}, "5.6.7", "SMTPUTF8"),
        (Plan(), {"recipients": ()}, "5.5.4", "no recipient"),
    ],
)
def test_what_the_server_cannot_take_is_failed_with_a_reason(
    run: Run, plan: Plan, changes: dict[str, object], enhanced: str, words: str
) -> None:
    outbox = StrictOutbox([envelope(1, **changes), envelope(2)])
    with Sink(plan) as sink:
        run(deliver(outbox, settings(sink.port)))
    assert outbox.of(Outcome.FAILED) == [1]
    assert outbox.results[1].enhanced == enhanced
    assert words in outbox.results[1].text
    assert outbox.of(Outcome.SENT) == [2]


def test_extensions_are_used_where_offered_and_needed() -> None:
    special = envelope(1, body="gr\u00fc\u00df\r\n".encode(), recipients=("j\u00fcrgen@example.net",))
    features = Features(has_pipelining=True, has_8bitmime=True, has_smtputf8=True, has_size=True)
    mail = prepare(special, features).commands[0]
    assert mail == b"MAIL FROM:<bounce-1@example.com> SIZE=8 BODY=8BITMIME SMTPUTF8\r\n"
    assert prepare(envelope(1), Features()).commands[0] == b"MAIL FROM:<bounce-1@example.com>\r\n"


def test_a_queue_of_nothing_but_bad_envelopes_ends(run: Run) -> None:
    outbox = StrictOutbox(envelope(number, recipients=("bad",)) for number in range(3000))
    with Sink() as sink:
        run(asyncio.wait_for(deliver(outbox, settings(sink.port, max_connections=3)), 20))
    assert len(outbox.of(Outcome.FAILED)) == 3000
