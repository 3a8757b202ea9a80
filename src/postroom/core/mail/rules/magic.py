"""Magic recipients of the sandbox: addresses that make it answer the way the world would."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from enum import Enum
from typing import Final

from postroom.core.mail.rules import reports_out
from postroom.core.mail.types import InboundMail


class Magic(Enum):
    """What a magic recipient makes the sandbox do."""

    BOUNCE = "bounce"  # a delivery status report, 5.1.1 (RFC 3464)
    COMPLAINT = "complaint"  # a feedback report, abuse (RFC 5965)
    REPLY = "reply"  # a person's answer


@dataclass(frozen=True, slots=True)
class Captured:
    """What the sandbox knows of a captured mail when it answers."""

    return_path: str
    complaints_to: str
    raw: bytes
    at: datetime


_MAGIC: Final = re.compile(r"(bounce|complaint|reply)(?:[+-].*)?@", re.IGNORECASE)


def read_magic(address: str) -> Magic | None:
    """Return what ``address`` asks for: its local part is a magic word, alone or followed by ``+…`` or ``-…``."""
    match = _MAGIC.match(address)
    return Magic(match[1].lower()) if match else None


def answer_mails(recipients: Sequence[str], captured: Captured) -> Iterator[InboundMail]:
    """Yield what the world would send back for a captured mail, one mail per magic recipient."""
    for recipient in recipients:
        magic = read_magic(recipient)
        if magic is Magic.BOUNCE:
            yield bounce_mail(recipient, captured)
        elif magic is Magic.COMPLAINT:
            yield complaint_mail(recipient, captured)
        elif magic is Magic.REPLY:
            yield reply_mail(recipient, captured, "Thank you, I read every word of it.")


def bounce_mail(recipient: str, captured: Captured) -> InboundMail:
    """Return the report of a mailbox that does not exist, to the return path, from the null sender (RFC 3464)."""
    raw = reports_out.build_dsn(
        original=captured.raw,
        recipient=recipient,
        return_path=captured.return_path,
        status="5.1.1",
        at=captured.at,
    )
    return InboundMail("", (captured.return_path,), raw)


def complaint_mail(recipient: str, captured: Captured) -> InboundMail:
    """Return the report of a person who pressed "this is spam" (RFC 5965)."""
    raw = reports_out.build_arf(original=captured.raw, recipient=recipient, to=captured.complaints_to, at=captured.at)
    return InboundMail("", (captured.complaints_to,), raw)


def reply_mail(recipient: str, captured: Captured, text: str) -> InboundMail:
    """Return a person's answer to the Reply-To, or to From without one."""
    to = reply_address(captured.raw) or captured.return_path
    raw = reports_out.build_reply(original=captured.raw, recipient=recipient, to=to, text=text, at=captured.at)
    return InboundMail(recipient, (to,), raw)


def reply_address(raw: bytes) -> str:
    """Return where a reply to ``raw`` goes, or nothing when its header names nobody."""
    headers = BytesHeaderParser(policy=policy.compat32).parsebytes(raw[: 256 * 1024])
    values = [str(headers[name]) for name in ("Reply-To", "From") if headers[name]]
    return next((address for value in values for _, address in getaddresses([value]) if "@" in address), "")
