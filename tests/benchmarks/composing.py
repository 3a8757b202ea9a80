"""What a message costs in one sender process without the database: composing and signing it; handing it over."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import uvloop

from postroom.core.mail.ports import Envelope, Outcome, Result
from postroom.core.mail.rules import compose, dkim
from postroom.core.mail.types import KeyAlgorithm, Mailing, MessageClass, Outgoing, Provider, SenderProfile, SigningKey
from postroom.providers.smtp import SmtpSettings, SmtpTransport
from postroom.workers.sender.composer import Composer
from tests.benchmarks.campaign import letter
from tests.benchmarks.postfix import BODY_LENGTH, smtp_sink, smtp_source
from tests.benchmarks.rounds import Contestant, alternate, say, show

MESSAGES = 20_000
SIGNED = {"no signature": 20_000, "ed25519": 5_000, "rsa": 1_000}
CONNECTIONS = 16
SLOTS = {"first_name": "Kim", "last_name": "Lee", "company": "Acme", "language": "en", "custom": {"city": "Wien"}}


def run(directory: Path, rounds: int) -> None:
    """Measure both halves."""
    _run_composing(rounds)
    with smtp_sink(directory) as port:
        contestants = [
            Contestant("smtp-source -d -s 16", lambda: smtp_source(port, MESSAGES, "-d"), is_yardstick=True),
            Contestant("Postroom's SMTP writer", lambda: _hand_over(port), target=1.4),
        ]
        rates = alternate(contestants, rounds)
    show(f"{MESSAGES:,} finished messages of {BODY_LENGTH:,} octets into smtp-sink, messages/s", contestants, rates)
    say(f"  the writer: {_writer_costs[-1] * 1e6:.1f} us of processor time a message")


def _run_composing(rounds: int) -> None:
    content = compose.compile_content(
        compose.freeze(letter(), message_class=MessageClass.MARKETING, tracks_opens=True, tracks_clicks=True)
    )
    keys = dkim.generate_keys()
    chosen = {
        "no signature": (),
        "ed25519": (SigningKey("e", KeyAlgorithm.ED25519, keys.ed25519_private),),
        "rsa": (SigningKey("r", KeyAlgorithm.RSA, keys.rsa_private),),
    }
    say("\nComposing alone, one process (best of the rounds)")
    for name, signing in chosen.items():
        composer = Composer(_profile(signing))
        items = _items(SIGNED[name])
        measured = [_time(partial(_compose_all, composer, items, content)) for _ in range(max(3, rounds))]
        seconds, octets = min(measured)
        say(f"  {name}: {seconds / len(items) * 1e6:.1f} us of processor time a message of {octets:,} octets")


def _profile(keys: tuple[SigningKey, ...]) -> SenderProfile:
    return SenderProfile(
        id=1,
        provider=Provider.SMTP,
        config={},
        credentials={},
        from_name="The Desk",
        from_email="desk@news.example",
        reply_to="",
        domain="news.example",
        keys=keys,
    )


def _items(count: int) -> list[Outgoing]:
    mailing = Mailing(1, 9, MessageClass.MARKETING)
    return [
        Outgoing(10**9 + number, mailing, (f"reader{number}@people.example",), SLOTS, "") for number in range(count)
    ]


def _compose_all(composer: Composer, items: list[Outgoing], content: compose.CompiledContent) -> int:
    octets = 0
    for item in items:
        octets = len(composer.compose(item, content).body)
    return octets


def _time(act: Callable[[], int]) -> tuple[float, int]:
    started = time.process_time()
    octets = act()
    return time.process_time() - started, octets


class _Outbox:
    """As many equal messages as there are recipients."""

    def __init__(self) -> None:
        head = b"From: desk@news.example\r\nTo: r@people.example\r\nSubject: x\r\nMessage-ID: <1@news.example>\r\n\r\n"
        body = head + (b"x" * 76 + b"\r\n") * (BODY_LENGTH // 78)
        self._waiting = iter(
            Envelope(number, f"bounce-{number:048x}@in.news.example", (f"reader{number}@people.example",), body, True)
            for number in range(MESSAGES)
        )
        self.sent = 0

    def next(self) -> Envelope | None:
        """Hand out the next one."""
        return next(self._waiting, None)

    def before_body(self, envelope: Envelope) -> bool:
        """Let all leave."""
        return True

    def record(self, envelope: Envelope, result: Result) -> None:
        """Count what arrived."""
        self.sent += result.outcome is Outcome.SENT

    def give_back(self, envelope: Envelope) -> None:
        """Nothing comes back from a server that takes everything."""
        raise AssertionError(envelope.message_id)


_writer_costs: list[float] = []


def _hand_over(port: int) -> float:
    outbox = _Outbox()

    async def send() -> float:
        transport = SmtpTransport(
            SmtpSettings("127.0.0.1", port, max_connections=CONNECTIONS, internal_hosts=("127.0.0.1",))
        )
        started, cpu = time.perf_counter(), time.process_time()
        await transport.run(outbox)
        elapsed = time.perf_counter() - started
        _writer_costs.append((time.process_time() - cpu) / MESSAGES)
        await transport.close()
        return elapsed

    elapsed = uvloop.run(send())
    if outbox.sent != MESSAGES:
        raise SystemExit(f"Only {outbox.sent:,} of {MESSAGES:,} were taken.")
    return MESSAGES / elapsed
