"""Decides what an inbound mail is, once it is open."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Final

from postroom.core.mail.rules.reports.bounces import Report, judge_report, read_report
from postroom.core.mail.rules.reports.naming import find_message
from postroom.core.mail.rules.reports.opening import (
    MAX_HEADER,
    MAX_SUBJECT,
    header,
    open_mail,
    part_text,
    parts,
    readable_text,
)
from postroom.core.mail.rules.tokens import BOUNCE_PREFIX
from postroom.core.mail.types import InboundKind, RefusalKind

_AUTOMATIC_FIELDS: Final = (
    *("X-Autoreply", "X-Autorespond", "X-AutoReply-From", "X-Autoresponder", "X-Mail-Autoreply"),
    *("X-Vacation", "X-FC-MachineGenerated", "X-POST-MessageClass", "X-MS-Exchange-Inbox-Rules-Loop"),
)
_AUTOMATIC_PRECEDENCE: Final = frozenset(("bulk", "junk", "list", "auto_reply", "auto-reply"))
_AUTOMATIC_SUBJECT: Final = re.compile(
    r"^\s*(?:auto(?:matic|mated)?[ -]?(?:reply|response|answer)|out[ -]of[ -](?:the[ -])?office|ooo\b|vacation\b"
    r"|automatische antwort|abwesenheit|réponse automatique|absence du bureau|respuesta automática|risposta automatica"
    r"|resposta automática|automatisch antwoord|autosvar|automatisk svar|odpowiedź automatyczna|automaattinen vastaus"
    r"|automatická odpověď|otomatik yanıt|автоответ|автоматический ответ|自動応答|自動返信|自动回复|自動回覆|자동 ?회신"
    r"|away from (?:my|the) (?:mail|office))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class InboundReading:
    """What a mail is, the ledger row it is about (``message_id``) and an RFC 3463 ``status``; both may be unknown.

    ``recipient`` is the address a report names, ``refusal`` what a bounce blames.
    """

    kind: InboundKind
    message_id: int | None = None
    status: str = ""
    reason: str = ""
    subject: str = ""
    text: str = ""
    recipient: str = ""
    refusal: RefusalKind | None = None


def read_inbound(raw: bytes, recipient: str) -> InboundReading:
    """Return what ``raw`` says, which came to ``recipient``. Never raises; what cannot be read is of unknown kind.

    Reports come first (RFC 3464, RFC 5965), then automatic replies (RFC 3834), and only what is left is a person's.
    """
    mail = open_mail(raw)
    subject = header(mail, "Subject")[:MAX_SUBJECT]
    message_id = find_message(_places(mail, raw, recipient))
    report = read_report(mail)
    if report is None:
        report = Report(_kind_of_letter(mail, subject, recipient, is_ours=message_id is not None))
    text = readable_text(mail) if report.kind in (InboundKind.REPLY, InboundKind.AUTO_REPLY) else ""
    return InboundReading(
        kind=report.kind,
        message_id=message_id,
        status=report.status,
        reason=report.reason,
        subject=subject,
        text=text,
        recipient=report.recipient,
        refusal=judge_report(report),
    )


def _places(mail: Message, raw: bytes, recipient: str) -> Iterator[str]:
    """Yield where our own words may stand, the surest place first."""
    yield recipient
    yield f"{header(mail, 'In-Reply-To')} {header(mail, 'References')}"
    yield raw[:MAX_HEADER].decode("latin-1")
    for part in parts(mail):
        if not part.is_multipart():
            yield part_text(part)
        else:
            yield " ".join(str(value) for value in part.values())


def _kind_of_letter(mail: Message, subject: str, recipient: str, *, is_ours: bool) -> InboundKind:
    if _is_automatic(mail, subject):
        return InboundKind.AUTO_REPLY
    if recipient.lower().startswith(BOUNCE_PREFIX):
        # People answer to Reply-To; only programs write to a return path.
        return InboundKind.AUTO_REPLY
    return InboundKind.REPLY if is_ours else InboundKind.UNKNOWN


def _is_automatic(mail: Message, subject: str) -> bool:
    submitted = header(mail, "Auto-Submitted").lower()
    if submitted and not submitted.startswith("no"):
        return True
    if header(mail, "Precedence").lower() in _AUTOMATIC_PRECEDENCE or any(name in mail for name in _AUTOMATIC_FIELDS):
        return True
    return _AUTOMATIC_SUBJECT.search(subject) is not None
