"""What the sandbox server does with the mail it takes instead of the world: keep it, and answer magic recipients."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from email import policy
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Final

from django.conf import settings
from django.db import transaction

from postroom.core.mail import jobs
from postroom.core.mail.models import SandboxMail
from postroom.core.mail.rules import magic, tokens
from postroom.core.mail.selectors.addressees import find_workspaces
from postroom.core.mail.types import CapturedMail, InboundMail

_MAX_HEADER_OCTETS: Final = 256 * 1024


@transaction.atomic(durable=True)
def store_sandbox_mails(*, mails: Sequence[CapturedMail], now: datetime) -> None:
    """Keep captured mails and defer an answer for each that has a magic recipient, in one commit."""
    message_ids = [_message_id(mail.return_path) for mail in mails]
    workspaces = find_workspaces(message_ids=[number for number in message_ids if number])
    rows = SandboxMail.objects.bulk_create(
        _row(mail, number, workspaces.get(number or 0), now) for mail, number in zip(mails, message_ids, strict=True)
    )
    for row in rows:
        if any(magic.read_magic(recipient) for recipient in row.recipients):
            jobs.defer_answer_sandbox_mail(row.pk)


def make_sandbox_answers(*, sandbox_mail_id: int, now: datetime) -> list[InboundMail]:
    """Return what the world would send back for a captured mail: one report or reply per magic recipient."""
    row = SandboxMail.objects.get(pk=sandbox_mail_id)
    captured = magic.Captured(
        return_path=row.return_path,
        complaints_to=f"abuse@{settings.INBOUND_DOMAIN}",
        raw=bytes(row.raw),
        at=now,
    )
    return list(magic.answer_mails(row.recipients, captured))


def _message_id(return_path: str) -> int | None:
    token = tokens.read_bounce(return_path.partition("@")[0])
    return token.message_id if token else None


def _row(mail: CapturedMail, message_id: int | None, workspace_id: int | None, now: datetime) -> SandboxMail:
    headers = _headers(mail.raw)
    return SandboxMail(
        workspace_id=workspace_id,
        message_id=message_id,
        return_path=mail.return_path[:320],
        recipients=list(mail.recipients),
        from_header=_clean(headers, "from", 600),
        to_header=_clean(headers, "to", 2000),
        subject=_clean(headers, "subject", 998),
        size=len(mail.raw),
        raw=mail.raw,
        received_at=now,
    )


def _headers(raw: bytes) -> EmailMessage:
    head = raw.partition(b"\r\n\r\n")[0][:_MAX_HEADER_OCTETS] + b"\r\n\r\n"
    return BytesParser(policy=policy.default).parsebytes(head, headersonly=True)


def _clean(headers: EmailMessage, name: str, length: int) -> str:
    try:
        value = str(headers.get(name, ""))
    except (MessageError, ValueError, IndexError, AttributeError):
        return "(unreadable)"
    return _printable(value)[:length]


def _printable(characters: Iterable[str]) -> str:
    return "".join(character for character in characters if character >= " ")
