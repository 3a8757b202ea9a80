"""Which transport carries an account's mail, and the one that carries it nowhere."""

import asyncio
from pathlib import Path

import pytest
from pytest_django import Settings

from postroom.core.mail.errors import BadSender
from postroom.core.mail.ports import Outcome
from postroom.core.mail.rules.providers import SETTINGS, check_provider, key_lifetime_s
from postroom.core.mail.types import Provider
from postroom.kit.errors import Unavailable
from postroom.providers import build_transport
from postroom.providers.echo import EchoTransport
from postroom.providers.esp import EspTransport
from postroom.providers.smtp import SmtpTransport
from tests.providers.esp.outbox import EspOutbox, letter, profile
from tests.providers.smtp.outbox import StrictOutbox
from tests.stand_ins.webhooks import settings_of


@pytest.mark.parametrize("provider", list(Provider))
def test_every_provider_has_its_transport(provider: Provider) -> None:
    made = build_transport(profile=profile(provider, "https://api.example.com/", host="mail.example.com", port=25))
    kinds = {Provider.SMTP: SmtpTransport, Provider.SANDBOX: SmtpTransport, Provider.ECHO: EchoTransport}
    assert type(made) is kinds.get(provider, EspTransport)
    asyncio.run(made.close())


def test_the_echo_writes_each_mail_to_a_file_and_nothing_leaves(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    transport = build_transport(profile=profile("echo", ""))
    outbox = StrictOutbox([letter(1), letter(2), letter(3)], keeps_back=True)
    outbox.refuses = lambda envelope: envelope.message_id == 2
    asyncio.run(transport.run(outbox))
    outbox.check()
    assert sorted(path.name for path in (tmp_path / "echo").iterdir()) == ["1.eml", "3.eml"]
    assert (tmp_path / "echo" / "1.eml").read_bytes() == letter(1).body
    assert outbox.of(Outcome.SENT) == [1, 3]


def test_an_echo_that_cannot_write_gives_everything_back(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "file" / "below"
    (tmp_path / "file").write_text("in the way")
    outbox = EspOutbox([letter(1)], keeps_back=True)
    with pytest.raises(Unavailable):
        asyncio.run(build_transport(profile=profile("echo", "")).run(outbox))
    outbox.check()
    assert outbox.results == {}


@pytest.mark.parametrize("provider", list(SETTINGS))
def test_an_account_without_its_key_is_refused_by_name(provider: Provider) -> None:
    config, credentials = settings_of(provider)
    check_provider(provider, config, credentials)
    for setting in SETTINGS[provider]:
        if setting.is_required:
            left = {name: value for name, value in config.items() if name != setting.name}
            kept = {name: value for name, value in credentials.items() if name != setting.name}
            with pytest.raises(BadSender, match=setting.label):
                check_provider(provider, left, kept)
        for value in ("with blank", "line\r\nX-Evil: 1", "\u00fc"):
            part = {setting.name: value}
            with pytest.raises(BadSender, match=setting.label):
                check_provider(
                    provider,
                    config if setting.is_secret else {**config, **part},
                    {**credentials, **part} if setting.is_secret else credentials,
                )


def test_numbers_of_an_account_have_bounds() -> None:
    config, credentials = settings_of("resend")
    for name, values in {"batch_size": (0, 101, "5", True), "max_connections": (0, 33, None)}.items():
        for value in values:
            with pytest.raises(BadSender, match=name):
                check_provider(Provider.RESEND, {**config, name: value}, credentials)


def test_a_key_for_a_batch_settles_no_doubt_about_a_message() -> None:
    assert key_lifetime_s("resend", {}) == 24 * 3600 - 300
    assert key_lifetime_s("resend", {"batch_size": 100}) == 0
    assert key_lifetime_s("brevo", {}) == 30 * 60 - 300
    assert {provider for provider in SETTINGS if key_lifetime_s(provider, {})} == {Provider.RESEND, Provider.BREVO}
