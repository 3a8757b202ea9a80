"""Pieces of program that send a mail, or ask for something else, with the address of this installation and a key."""

import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django.conf import settings

from postroom.core.mail import selectors as mail
from postroom.core.mail.types import Provider
from postroom.core.workspaces.selectors import door_address
from postroom.core.workspaces.types import Door

if TYPE_CHECKING:
    from postroom.core.workspaces.models import Workspace

UNFILLED: Final = "us_your_key"
"""Stands in a piece of program until a key is made."""

_ANYBODY: Final = "hello@example.com"
_SUBJECT: Final = "My first e-mail"
_TEXT: Final = "It works."


@dataclass(frozen=True, slots=True)
class FirstMail:
    """What the pieces of program send: from and to whom, by which server, with which key."""

    address: str
    secret: str
    from_: str
    to: str

    @property
    def body(self) -> dict[str, str]:
        """The request as JSON has it."""
        html = f"<p>{_TEXT}</p>"
        return {"from": self.from_, "to": self.to, "subject": _SUBJECT, "text": _TEXT, "html": html}


def plan_first_mail(workspace: "Workspace", *, to: str, secret: str = UNFILLED, mail_domain: str = "") -> FirstMail:
    """Return a first mail that the workspace would take: from the account that really sends, else the sandbox's."""
    from_ = f"hello@{mail_domain}" if mail_domain else _find_from(workspace)
    return FirstMail(door_address(door=Door.USESEND), secret, from_, to)


def write_call(workspace: "Workspace", *, door: Door, secret: str, to: str, mail_domain: str = "") -> str:
    """Return a command for a terminal that tries a key out at its door."""
    if door is Door.USESEND:
        return write_curl(plan_first_mail(workspace, to=to, secret=secret, mail_domain=mail_domain))
    return f"curl {shlex.quote(door_address(door=door) + '/api/contacts')} \\\n  -H 'Authorization: Bearer {secret}'"


def write_curl(first: FirstMail) -> str:
    """Return the mail as a command for a terminal."""
    lines = (
        f"curl {shlex.quote(first.address + '/api/v1/emails')}",
        f"-H {shlex.quote(f'Authorization: Bearer {first.secret}')}",
        "-H 'Content-Type: application/json'",
        f"-d {shlex.quote(json.dumps(first.body, ensure_ascii=False, indent=2))}",
    )
    return " \\\n  ".join(lines)


def write_python(first: FirstMail) -> str:
    """Return the mail as a program for the PyPI client ``usesend``."""
    return (
        "# pip install usesend\n"
        "from usesend import UseSend\n\n"
        f"client = UseSend({_text(first.secret)}, url={_text(first.address)})\n"
        f"data, error = client.emails.send({_object(first)})\n"
        "print(data or error)\n"
    )


def write_javascript(first: FirstMail) -> str:
    """Return the mail as a program for the npm client ``usesend-js``."""
    return (
        "// npm install usesend-js, then: node first.mjs\n"
        'import { UseSend } from "usesend-js";\n\n'
        f"const client = new UseSend({_text(first.secret)}, {_text(first.address)});\n"
        f"const {{ data, error }} = await client.emails.send({_object(first)});\n"
        "console.log(data ?? error);\n"
    )


def write_smtp(first: FirstMail) -> str:
    """Return the mail as a command that hands it over by SMTP, the key as password; without a certificate of the
    operator's own the server shows one that nobody signed.
    """
    host = f"{urlsplit(settings.PUBLIC_URL).hostname}:{settings.SUBMISSION_PORT}"
    trust = "" if settings.TLS_CERT else " --insecure"
    lines = (
        f"curl {shlex.quote(f'smtp://{host}')} --ssl-reqd{trust} --crlf",
        f"--user {shlex.quote(f'{settings.SUBMISSION_USER}:{first.secret}')}",
        f"--mail-from {shlex.quote(first.from_)} --mail-rcpt {shlex.quote(first.to)}",
        "-T - <<'MAIL'",
    )
    mail = f"From: {first.from_}\nTo: {first.to}\nSubject: {_SUBJECT}\n\n{_TEXT}\nMAIL"
    return " \\\n  ".join(lines) + "\n" + mail


def _find_from(workspace: "Workspace") -> str:
    senders = [one for one in mail.list_senders(workspace=workspace) if one.is_active and one.from_email]
    real = [one for one in senders if one.provider != Provider.SANDBOX]
    return next((one.from_email for one in real or senders), _ANYBODY)


def _object(first: FirstMail) -> str:
    """Return the request as both Python and JavaScript read it."""
    return json.dumps(first.body, ensure_ascii=False, indent=4)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
