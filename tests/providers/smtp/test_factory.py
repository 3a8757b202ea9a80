"""A sender account's settings become a transport, or a clear refusal."""

import asyncio
from typing import Any

import pytest

from postroom.core.mail.ports import Outcome
from postroom.kit.errors import Invalid, Unavailable
from postroom.providers.smtp import Security, build_transport
from postroom.providers.smtp.factory import read_settings
from tests.providers.smtp.outbox import StrictOutbox, envelopes
from tests.sinks import Plan, Sink


@pytest.mark.parametrize("provider", ["smtp", "sandbox"])
def test_both_providers_carry_mail(provider: str) -> None:
    outbox = StrictOutbox(envelopes(5))

    async def send(port: int) -> None:
        config: dict[str, Any] = {"host": "127.0.0.1", "port": port, "max_connections": 2}
        transport = build_transport(provider=provider, config=config, internal=("127.0.0.1",))
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
        secrets = {"username": "a", "password": "b"}
        transport = build_transport(
            provider="sandbox", config=config, credentials=secrets, internal=(f"127.0.0.1:{port}",)
        )
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


HOSTS = (
    *("127.0.0.1", "localhost", "10.0.0.8", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
    *("::1", "fd00::1", "fe80::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "127.1", "2130706433"),
    *("0x7f000001", "localhost.", "224.0.0.1", "255.255.255.255"),
)


@pytest.mark.parametrize("host", HOSTS)
def test_an_account_cannot_name_a_host_of_our_own_network(host: str) -> None:
    with Sink() as sink:
        transport = build_transport(provider="smtp", config={"host": host, "port": sink.port})
        outbox = StrictOutbox(envelopes(1))
        with pytest.raises(Unavailable, match=r"public|cannot be found"):
            asyncio.run(transport.run(outbox))
        assert sink.connections == 0
    assert outbox.given_back[1] == 1


@pytest.mark.parametrize("internal", ["*", "127.0.0.1", "127.0.0.0/8", "localhost", "localhost:{port}"])
def test_an_operator_may_allow_a_relay_of_their_own(internal: str) -> None:
    outbox = StrictOutbox(envelopes(1))
    with Sink() as sink:
        allowed = (internal.format(port=sink.port), "::1")
        transport = build_transport(provider="smtp", config={"host": "localhost", "port": sink.port}, internal=allowed)

        async def send() -> None:
            await transport.run(outbox)
            await transport.close()

        asyncio.run(send())
    assert outbox.of(Outcome.SENT) == [1]


def test_a_host_is_not_looked_up_a_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["127.0.0.1", "10.0.0.1"])

    async def resolve(host: str, port: int, *, internal: object) -> list[str]:
        return [next(answers)]

    monkeypatch.setattr("postroom.providers.smtp.session.resolve_async", resolve)
    outbox = StrictOutbox(envelopes(1))
    with Sink() as sink:
        config: dict[str, Any] = {"host": "rebinding.example", "port": sink.port, "max_connections": 1}
        transport = build_transport(provider="smtp", config=config)

        async def send() -> None:
            await transport.run(outbox)
            await transport.close()

        asyncio.run(send())
    assert outbox.of(Outcome.SENT) == [1]
    assert next(answers) == "10.0.0.1"
