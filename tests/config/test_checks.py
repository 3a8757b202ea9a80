"""Combinations of settings that must be refused, each by its number."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.checks import CheckMessage
from pytest_django import Settings

from postroom.config import checks
from postroom.kit import clock
from postroom.kit.certificates import ensure_certificate


def numbers(check: Callable[..., list[CheckMessage]], **options: object) -> list[str]:
    return [str(message.id).removeprefix("postroom.") for message in check(None, **options)]


def test_the_settings_of_a_fresh_installation_pass() -> None:
    assert numbers(checks.check_secret_key) == []
    assert numbers(checks.check_public_url) == []
    assert numbers(checks.check_numbers) == []


def test_a_short_secret_key_is_refused_also_among_the_old_ones(settings: Settings) -> None:
    settings.SECRET_KEY = "short"
    assert numbers(checks.check_secret_key) == ["E001"]
    settings.SECRET_KEY = "long" * 10
    settings.SECRET_KEY_FALLBACKS = ["short"]
    assert numbers(checks.check_secret_key) == ["E001"]


def test_a_secret_key_that_others_can_read_is_refused(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    (tmp_path / "secret-key").touch(mode=0o600)
    assert numbers(checks.check_secret_key) == []
    (tmp_path / "secret-key").chmod(0o640)
    assert numbers(checks.check_secret_key) == ["E002"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"PUBLIC_URL": "mail.example.com"}, ["E003"]),
        ({"PUBLIC_URL": "https://mail.example.com/app"}, ["E003"]),
        ({"PUBLIC_URL": "ftp://mail.example.com"}, ["E003"]),
        ({"PUBLIC_URL": "https://mail.example.com", "ALLOWED_HOSTS": ["other.example.com"]}, ["E004"]),
        ({"PUBLIC_URL": "https://mail.example.com", "ALLOWED_HOSTS": [".example.com"]}, []),
        ({"PUBLIC_URL": "https://mail.example.com", "ALLOWED_HOSTS": ["*"], "DEBUG": True}, ["E005"]),
        ({"PUBLIC_URL": "http://localhost:8000", "SECURE_HSTS_SECONDS": 60}, ["E006"]),
        ({"PUBLIC_URL": "http://mail.example.com", "ALLOWED_HOSTS": ["*"]}, ["W001"]),
        ({"PUBLIC_URL": "http://[::1]:8000", "ALLOWED_HOSTS": ["[::1]"]}, []),
    ],
)
def test_the_public_address_must_be_one_we_answer_safely(
    settings: Settings, changes: dict[str, object], expected: list[str]
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    assert numbers(checks.check_public_url) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"WEB_PORT": 0}, ["E007"]),
        ({"SMTP_PORT": 70000}, ["E007"]),
        ({"WEB_PORT": 2525, "SMTP_PORT": 2525}, ["E007"]),
        ({"WEB_THREADS": 0}, ["E008"]),
    ],
)
def test_numbers_must_make_sense(settings: Settings, changes: dict[str, int], expected: list[str]) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    assert numbers(checks.check_numbers) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"SENDING_ADDRESSES": ("203.0.113.7", "2001:db8::7")}, []),
        ({"SENDING_ADDRESSES": ("mail.example.com",)}, ["E011"]),
        ({"DNS_SERVERS": ("192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:5353")}, []),
        ({"DNS_SERVERS": ("dns.example.com",)}, ["E012"]),
    ],
)
def test_addresses_are_addresses(settings: Settings, changes: dict[str, tuple[str, ...]], expected: list[str]) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    assert numbers(checks.check_addresses) == expected


def test_a_certificate_has_its_key(settings: Settings, tmp_path: Path) -> None:
    assert numbers(checks.check_certificate) == []
    for name in ("one", "other"):
        paths = tmp_path / f"{name}.pem", tmp_path / f"{name}.key"
        ensure_certificate(*paths, names=["mail.example.com"], now=clock.now())
    settings.TLS_CERT = str(tmp_path / "one.pem")
    assert numbers(checks.check_certificate) == ["E014"]
    settings.TLS_KEY = str(tmp_path / "one.key")
    assert numbers(checks.check_certificate) == []
    settings.TLS_KEY = str(tmp_path / "other.key")
    assert numbers(checks.check_certificate) == ["E014"]
    settings.TLS_CERT = str(tmp_path / "none.pem")
    assert numbers(checks.check_certificate) == ["E014"]


@pytest.mark.django_db
def test_an_old_postgresql_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert numbers(checks.check_database, databases=["default"]) == []
    monkeypatch.setattr(checks, "OLDEST_POSTGRESQL", 99)
    assert numbers(checks.check_database, databases=["default"]) == ["E009"]
    assert numbers(checks.check_database) == []
