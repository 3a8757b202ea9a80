"""``postroom doctor``: every check of an installation, as a table."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connection
from rich.console import Console
from rich.table import Table

from postroom.config import health, ports, postgres
from postroom.config.bootstrap import describe
from postroom.config.database import is_embedded
from postroom.config.environment import env_str
from postroom.core.insights.selectors import installation
from postroom.kit.certificates import BadCertificate, read_certificate
from postroom.kit.clock import now

MARKS: Final = {True: "[green]ok[/]", False: "[red]wrong[/]", None: "[yellow]note[/]"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table; ``is_fine`` is None for what is worth knowing but not wrong."""

    subject: str
    is_fine: bool | None
    words: str


def examine() -> int:
    """Print what was found and return 1 when something is wrong, else 0."""
    findings = [finding for examination in EXAMINATIONS for finding in examination()]
    table = Table("What", "", "Found", title="Postroom")
    for finding in findings:
        table.add_row(finding.subject, MARKS[finding.is_fine], finding.words)
    Console().print(table)
    return int(any(finding.is_fine is False for finding in findings))


def _examine_python() -> Iterator[Finding]:
    yield Finding("Python", sys.version_info >= (3, 11), sys.version.split()[0])


def _examine_settings() -> Iterator[Finding]:
    messages = checks.run_checks(tags=[checks.Tags.security, checks.Tags.compatibility])
    for message in messages:
        yield Finding("Settings", False if message.is_serious() else None, describe(message))
    if not messages:
        yield Finding("Settings", True, f"public address {settings.PUBLIC_URL}")


def _examine_secret_key() -> Iterator[Finding]:
    path = settings.DATA_DIR / "secret-key"
    given = bool(env_str("POSTROOM_SECRET_KEY"))
    yield Finding("Secret key", True, "from POSTROOM_SECRET_KEY" if given else f"made once, kept in {path}")


def _examine_data_dir() -> Iterator[Finding]:
    mode = settings.DATA_DIR.stat().st_mode & 0o777
    words = f"{settings.DATA_DIR} (mode {mode:o})"
    yield Finding("Data directory", not mode & 0o066, words if not mode & 0o066 else f"{words}: others can read it")


def _examine_database() -> Iterator[Finding]:
    kind = f"embedded, at {connection.settings_dict['HOST']}" if is_embedded() else "from DATABASE_URL"
    if is_embedded() and not postgres.is_ready(settings.DATA_DIR):
        yield Finding("Database", False, "embedded and not running: start it with postroom up")
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version')")
            (version,) = cursor.fetchone()
        yield Finding("Database", True, f"PostgreSQL {version}, {kind}")
        for message in checks.run_checks(tags=[checks.Tags.database], databases=["default"]):
            yield Finding("Database", False if message.is_serious() else None, describe(message))
        yield from _examine_tables()
    except DatabaseError as error:
        yield Finding("Database", False, f"{kind}: {str(error).strip().splitlines()[0]}")


def _examine_tables() -> Iterator[Finding]:
    pending = health.count_pending_migrations()
    yield Finding("Tables", not pending, f"{pending} migrations missing: postroom migrate" if pending else "up to date")
    if not pending:
        missing = health.find_missing(now=now())
        yield Finding("Worker", not missing, " ".join(missing) or "alive")
        yield from _examine_mail()


def _examine_mail() -> Iterator[Finding]:
    setup = installation.read_mail_setup()
    words = f"{setup.live_senders} senders reach the world" if setup.live_senders else "sandbox only: nothing leaves"
    yield Finding("Mail", True if setup.live_senders else None, words)
    if setup.domains:
        words = f"{setup.domains} domains with keys, {setup.verified_domains} verified in DNS"
        yield Finding("DKIM", True if setup.verified_domains == setup.domains else None, words)


def _examine_ports() -> Iterator[Finding]:
    for name in ("WEB", "SMTP", "SANDBOX", "SUBMISSION", "SUBMISSIONS"):
        host, port = getattr(settings, f"{name}_HOST"), getattr(settings, f"{name}_PORT")
        words = "free" if ports.is_free(host, port) else "taken (by Postroom itself, when it runs)"
        yield Finding(f"Port {name.lower()}", True if words == "free" else None, f"{host}:{port} {words}")


def _examine_certificate() -> Iterator[Finding]:
    if not settings.SUBMISSION_CERT.exists():
        yield Finding("Certificate", None, "none yet: postroom smtp makes one that signs itself")
        return
    try:
        facts = read_certificate(settings.SUBMISSION_CERT)
    except BadCertificate as error:
        yield Finding("Certificate", False, str(error))
        return
    words = f"for {', '.join(facts.names)}, until {facts.good_until:%Y-%m-%d}"
    if facts.good_until < now():
        yield Finding("Certificate", False, f"{words}: it has ended")
    elif facts.is_self_signed:
        hint = "it signs itself, so clients must be told to trust it: set POSTROOM_TLS_CERT and POSTROOM_TLS_KEY"
        yield Finding("Certificate", None, f"{words}; {hint}")
    else:
        yield Finding("Certificate", True, words)


EXAMINATIONS: Final[tuple[Callable[[], Iterator[Finding]], ...]] = (
    _examine_python,
    _examine_settings,
    _examine_secret_key,
    _examine_data_dir,
    _examine_database,
    _examine_ports,
    _examine_certificate,
)
