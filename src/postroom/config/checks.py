"""Numbered checks: combinations of settings that would run, but wrongly, are refused at start."""

import re
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections
from django.http.request import validate_host

from postroom.kit.certificates import BadCertificate, ServerCertificate

LOCAL_HOSTS: Final = {"localhost", "127.0.0.1", "::1"}
OLDEST_POSTGRESQL: Final = 15
SHORTEST_KEY: Final = 32
_NAME: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")

Apps = Sequence[AppConfig] | None


@register(Tags.security)
def check_secret_key(app_configs: Apps, **options: Any) -> list[CheckMessage]:
    """Refuse a key that can be guessed (E001) or that other users of the machine can read (E002)."""
    found: list[CheckMessage] = []
    if any(len(key) < SHORTEST_KEY for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)):
        hint = "Leave POSTROOM_SECRET_KEY away to have one made, or use: openssl rand -base64 32"
        found.append(Error(f"A secret key needs at least {SHORTEST_KEY} characters.", hint, id="postroom.E001"))
    path = settings.DATA_DIR / "secret-key"
    if path.exists() and path.stat().st_mode & 0o077:
        found.append(Error(f"Other users can read {path}.", f"chmod 600 {path}", id="postroom.E002"))
    return found


@register(Tags.security)
def check_public_url(app_configs: Apps, **options: Any) -> list[CheckMessage]:
    """Refuse an address that is none (E003), that we would not answer (E004) or that betrays secrets (E005, E006)."""
    parts = urlsplit(settings.PUBLIC_URL)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host or parts.path or parts.query:
        message = f"POSTROOM_PUBLIC_URL must look like https://mail.example.com, not {settings.PUBLIC_URL!r}."
        return [Error(message, id="postroom.E003")]
    found: list[CheckMessage] = []
    if not validate_host(f"[{host}]" if ":" in host else host, settings.ALLOWED_HOSTS):
        message = f"POSTROOM_PUBLIC_URL leads to {host}, which POSTROOM_ALLOWED_HOSTS refuses."
        found.append(Error(message, f"Add {host} to POSTROOM_ALLOWED_HOSTS.", id="postroom.E004"))
    if settings.DEBUG and host not in LOCAL_HOSTS:
        message = "POSTROOM_DEBUG shows secrets in error pages and must be off when others can reach this installation."
        found.append(Error(message, id="postroom.E005"))
    if settings.SECURE_HSTS_SECONDS and parts.scheme == "http":
        message = "POSTROOM_HSTS_SECONDS forbids plain HTTP, but POSTROOM_PUBLIC_URL is plain HTTP."
        found.append(Error(message, id="postroom.E006"))
    if parts.scheme == "http" and host not in LOCAL_HOSTS:
        message = "POSTROOM_PUBLIC_URL is plain HTTP: passwords and session cookies travel in the clear."
        found.append(Warning(message, "Put a TLS proxy in front and use https://.", id="postroom.W001"))
    return found


@register(Tags.compatibility)
def check_numbers(app_configs: Apps, **options: Any) -> list[CheckMessage]:
    """Refuse ports that are none or wanted twice (E007) and pools of nothing (E008)."""
    names = ("WEB_PORT", "SMTP_PORT", "SANDBOX_PORT", "SUBMISSION_PORT", "SUBMISSIONS_PORT")
    ports = [getattr(settings, name) for name in names]
    found: list[CheckMessage] = [
        Error(f"POSTROOM_{name} must be a port from 1 to 65535, not {port}.", id="postroom.E007")
        for name, port in zip(names, ports, strict=True)
        if not 0 < port < 65536
    ]
    if len(set(ports)) < len(ports):
        found.append(Error(f"POSTROOM_{', POSTROOM_'.join(names)} must be different ports.", id="postroom.E007"))
    found += [
        Error(f"POSTROOM_{name} must be at least 1.", id="postroom.E008")
        for name in ("WEB_WORKERS", "WEB_THREADS")
        if getattr(settings, name) < 1
    ]
    return found


@register(Tags.compatibility)
def check_certificate(app_configs: Apps, **options: Any) -> list[CheckMessage]:
    """Refuse a certificate without its key, or one that cannot be used (E014)."""
    if not settings.TLS_CERT and not settings.TLS_KEY:
        return []
    if not settings.TLS_CERT or not settings.TLS_KEY:
        return [Error("POSTROOM_TLS_CERT and POSTROOM_TLS_KEY belong together.", id="postroom.E014")]
    try:
        ServerCertificate(Path(settings.TLS_CERT), Path(settings.TLS_KEY))
    except BadCertificate as error:
        return [Error(str(error), "Name PEM files that belong together.", id="postroom.E014")]
    return []


@register(Tags.compatibility)
def check_addresses(app_configs: Apps, **options: Any) -> list[CheckMessage]:
    """Refuse sending addresses (E011) and name servers (E012) that are no IP addresses."""
    found: list[CheckMessage] = []
    for name, number in (("SENDING_ADDRESSES", 11), ("DNS_SERVERS", 12)):
        for text in getattr(settings, name):
            host = text.rpartition(":")[0].strip("[]") if text.count(":") == 1 or "]:" in text else text.strip("[]")
            if not _is_address(host if name == "DNS_SERVERS" else text):
                message = f"POSTROOM_{name} must hold IP addresses, and {text!r} is none."
                found.append(Error(message, id=f"postroom.E{number:03d}"))
    return found


@register(Tags.compatibility)
def check_door_hosts(app_configs: Apps, **options: Any) -> list[CheckMessage]:
    """Refuse host names of doors that are none, those of two doors, and that of the application's own pages (E013)."""
    public = (urlsplit(settings.PUBLIC_URL).hostname or "").lower()
    owners: dict[str, str] = {}
    found: list[CheckMessage] = []
    for door, host in settings.DOOR_HOSTS.items():
        setting = f"POSTROOM_{door.upper()}_HOST"
        other = "the pages" if host == public else owners.setdefault(host, setting)
        if not _NAME.fullmatch(host):
            found.append(Error(f"{setting} must be a host name alone, not {host!r}.", id="postroom.E013"))
        elif other != setting:
            found.append(Error(f"{setting} is the host name of {other} already.", id="postroom.E013"))
    return found


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@register(Tags.database)
def check_database(app_configs: Apps, databases: Iterable[str] | None = None, **options: Any) -> list[CheckMessage]:
    """Refuse a PostgreSQL that is too old (E009) or does not store text as UTF-8 (E010)."""
    if not databases:
        return []
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int, current_setting('server_encoding')")
        version, encoding = cursor.fetchone()
    found: list[CheckMessage] = []
    if version < OLDEST_POSTGRESQL * 10_000:
        message = f"PostgreSQL {OLDEST_POSTGRESQL} or newer is needed, this is {version // 10_000}."
        found.append(Error(message, id="postroom.E009"))
    if encoding != "UTF8":
        found.append(Error(f"The database must be encoded in UTF8, not {encoding}.", id="postroom.E010"))
    return found
