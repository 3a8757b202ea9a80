"""A sender account's settings become a transport, or a clear refusal."""

import asyncio
from typing import Any

import pytest

from postroom.core.mail.ports import Outcome
from postroom.kit.errors import Invalid
from postroom.providers.smtp import Security, build_transport
from postroom.providers.smtp.factory import read_settings
from tests.providers.smtp.outbox import StrictOutbox, envelopes
from tests.sinks import Plan, Sink


@pytest.mark.parametrize("provider", ["smtp", "sandbox"])
def test_both_providers_carry_mail(provider: str) -> None:
    outbox = StrictOutbox(envelopes(5))

    async def send(port: int) -> None:
        transport = build_transport(provider=provider, config={"host": "127.0.0.1", "port": port, "max_connections": 2})
        await transport.run(outbox)
        await transport.close()

    with Sink() as sink:
        asyncio.run(send(sink.port))
    assert len(outbox.of(Outcome.SENT)) == 5


def test_credentials_and_options_are_read() -> None:
    config: dict[str, Any] = {"host": "mx.example.com", "port": 587, "security": "starttls", "helo_name": "me.example"}
    chosen = read_settings(config, {"username": "ann", "password": "p"})
    assert (chosen.security, chosen.username, chosen.password) == (Security.STARTTLS, "ann", "p")
    assert (chosen.verify_tls, chosen.max_connections, chosen.helo_name) == (True, 8, "me.example")


def test_the_sandbox_never_signs_in() -> None:
    outbox = StrictOutbox(envelopes(1))

    async def send(port: int) -> None:
        config: dict[str, Any] = {"host": "127.0.0.1", "port": port}
        transport = build_transport(provider="sandbox", config=config, credentials={"username": "a", "password": "b"})
        await transport.run(outbox)
        await transport.close()

    with Sink(Plan(login=("a", "b"))) as sink:
        asyncio.run(send(sink.port))
    assert not any(line.startswith(b"AUTH") for line in sink.commands)


@pytest.mark.parametrize(
    ("provider", "changes", "field"),
    [
        ("pigeon", {}, "provider"),
        ("smtp", {"host": ""}, "host"),
        ("smtp", {"host": 7}, "host"),
        ("smtp", {"host": "a b"}, "host"),
        ("smtp", {"port": 0}, "port"),
        ("smtp", {"port": 65536}, "port"),
        ("smtp", {"port": "25"}, "port"),
        ("smtp", {"port": True}, "port"),
        ("smtp", {"security": "ssl3"}, "security"),
        ("smtp", {"max_connections": 0}, "max_connections"),
        ("smtp", {"max_connections": 100_000}, "max_connections"),
        ("smtp", {"verify_tls": "no"}, "verify_tls"),
    ],
)
def test_settings_that_make_no_sense_are_refused(provider: str, changes: dict[str, Any], field: str) -> None:
    config: dict[str, Any] = {"host": "127.0.0.1", "port": 25, **changes}
    with pytest.raises(Invalid) as caught:
        build_transport(provider=provider, config=config)
    assert caught.value.facts["field"] == field
