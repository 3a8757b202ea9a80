"""Accounts at stand-in providers, and mail for them."""

import asyncio
from collections.abc import Iterable
from typing import Any

from postroom.core.mail.ports import Envelope
from postroom.core.mail.types import Provider, SenderProfile
from postroom.providers.esp import EspTransport, build_esp_transport
from tests.providers.smtp.outbox import StrictOutbox
from tests.stand_ins.esp import StandIn

CREDENTIALS = {
    "api_key": "good-key",
    "api_token": "good-key",
    "server_token": "good-key",
    "secret_key": "good-secret",
    "secret_access_key": "sesame",
}
CONFIG = {"region": "us", "domain": "mg.example.com", "access_key_id": "AKIAGOOD"}


class EspOutbox(StrictOutbox):
    """Takes back what a provider surely did not take, though it was asked to; keeps why a run ended."""

    failure: Exception | None = None

    def give_back(self, envelope: Envelope) -> None:
        self._flying.discard(envelope.message_id)
        super().give_back(envelope)


def profile(provider: str, url: str, *, credentials: dict[str, str] | None = None, **config: Any) -> SenderProfile:
    """Return an account at the provider behind ``url``."""
    fields: dict[str, Any] = dict.fromkeys(SenderProfile.__dataclass_fields__, "")
    fields |= {
        "id": 1,
        "provider": Provider(provider),
        "config": {**CONFIG, "api_url": url, **config},
        "credentials": credentials or CREDENTIALS,
        "from_email": "desk@news.example",
    }
    return SenderProfile(**fields)


def letter(number: int, *, extra: str = "", body: bytes = b"", to: str = "") -> Envelope:
    """Return a finished message as our composer makes them."""
    to = to or f"u{number}@example.net"
    head = (
        f"DKIM-Signature: v=1; a=rsa-sha256; d=news.example;\r\n\tb=abc=\r\n"
        "From: =?utf-8?q?J=C3=B6rg?= <desk@news.example>\r\n"
        f"To: {to}\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= {number}\r\nMessage-ID: <{number}@news.example>\r\n"
        f"Date: Fri, 20 Nov 2026 10:00:0{number % 10} +0000\r\nReply-To: reply+{number}@in.example\r\n"
        f"List-Unsubscribe: <https://mail.example/u/{number}>\r\n"
        f"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n{extra}MIME-Version: 1.0\r\n"
    ).encode()
    body = body or (
        b'Content-Type: multipart/alternative; boundary="bb"\r\n\r\n'
        + b"--bb\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        + f"Hällo {number}\r\nzwei\r\n".encode()
        + b"--bb\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        + f"<p>Hällo {number}</p>\r\n".encode()
        + b"--bb--\r\n"
    )
    return Envelope(number, "bounce@in.example", (to,), head + body)


def build(stand_in: StandIn, *, deadline_s: float = 5.0, **config: Any) -> EspTransport:
    """Return a transport to a stand-in."""
    made = build_esp_transport(
        profile=profile(stand_in.provider, stand_in.url, **config), internal=("127.0.0.1",), deadline_s=deadline_s
    )
    made._repeat_delay_s = 0.01
    return made


def carry(transport: EspTransport, letters: Iterable[Envelope], *, keeps_back: bool = True) -> EspOutbox:
    """Hand all letters over; return the outbox."""
    outbox = EspOutbox(letters, keeps_back=keeps_back)

    async def go() -> None:
        try:
            await transport.run(outbox)
        finally:
            await transport.close()

    try:
        asyncio.run(go())
    except Exception as error:
        outbox.failure = error
    outbox.check()
    return outbox
