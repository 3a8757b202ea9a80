"""Reads delivery status reports (RFC 3464), feedback reports (RFC 5965), and the letters of old servers."""

import re
from dataclasses import dataclass
from email.message import Message
from typing import Final

from postroom.core.mail.rules import refusal_words as words
from postroom.core.mail.rules.refusals import classify_reply
from postroom.core.mail.rules.reports.opening import header, part_text, parts, readable_text
from postroom.core.mail.types import InboundKind, RefusalKind
from postroom.kit.mime import clean_line

MAX_REASON: Final = 500

_STATUS: Final = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY_CODE: Final = re.compile(r"(?<![\d.])([45])\d\d(?=[ -])")
_DAEMON: Final = re.compile(r"mailer-?daemon|postmaster@|mail delivery (?:sub)?system", re.IGNORECASE)
_BOUNCE_SUBJECT: Final = re.compile(
    r"undeliver|returned mail|delivery (?:status notification|failure|has failed)|mail delivery failed|failure notice"
    r"|delivery failure|could not be delivered|message not delivered|unzustellbar|non remis|no entregado",
    re.IGNORECASE,
)
_DELAY: Final = re.compile(
    r"delayed|not yet been delivered|still (?:being|trying)|will (?:be )?(?:retr|keep trying|continue trying)"
    r"|has been delayed|warning: could not send|no action is required",
    re.IGNORECASE,
)
_FAILURE: Final = re.compile(
    r"permanent (?:fatal )?error|i've given up|this is a permanent error|failed permanently|could not be delivered to"
    r"|wasn't delivered|undeliverable|delivery has failed|fatal errors|no such user|user unknown|unrouteable address"
    r"|retry timeout exceeded",
    re.IGNORECASE,
)
_BLANK: Final = re.compile(r"\r?\n\r?\n")
_ADDRESS: Final = re.compile(r"[^\s<>\[\]():;,\"']{1,64}@[^\s<>\[\]():;,\"']{1,253}[^\s<>\[\]():;,\"'.]")
_OURS: Final = re.compile(r"(?:bounce|reply)-[0-9a-f]{48}@|^[0-9a-f]{48}@|postmaster@|mailer-?daemon", re.IGNORECASE)
_STATUS_TYPES: Final = frozenset(("message/delivery-status", "message/global-delivery-status"))  # RFC 3464, RFC 6533
_COMPLAINTS: Final = frozenset(("abuse", "fraud", "virus", "other", "miscategorized", "opt-out", ""))


@dataclass(frozen=True, slots=True)
class Report:
    """What a server or provider reports; ``status`` is an RFC 3463 code or empty, ``recipient`` whom it names."""

    kind: InboundKind
    status: str = ""
    reason: str = ""
    recipient: str = ""


def read_report(mail: Message) -> Report | None:
    """Return what ``mail`` reports, or None when it is no report at all."""
    for part in parts(mail):
        if part.get_content_type() == "message/feedback-report":
            return _read_feedback(part)
        if part.get_content_type() in _STATUS_TYPES:
            return _read_status(part)
        if part.get_content_type() == "message/disposition-notification":
            return Report(InboundKind.AUTO_REPLY)
    return _read_letter(mail)


def judge_report(report: Report) -> RefusalKind | None:
    """Return what a bounce blames; None for everything else. What gave up after temporary refusals blames nobody."""
    if report.kind is not InboundKind.BOUNCE:
        return None
    return classify_reply(450 if report.status.startswith("4") else 550, report.status, report.reason)


def _read_feedback(part: Message) -> Report:
    fields = _groups(part)[0]
    kind = header(fields, "Feedback-Type").lower()
    if kind not in _COMPLAINTS:
        return Report(InboundKind.UNKNOWN, reason=kind[:MAX_REASON])
    reporter = header(fields, "Reported-Domain") or header(fields, "User-Agent")
    reason = " ".join(filter(None, (kind or "abuse", reporter)))[:MAX_REASON]
    return Report(InboundKind.COMPLAINT, reason=reason, recipient=_address(header(fields, "Original-Rcpt-To")))


def _read_status(part: Message) -> Report:
    """The worst recipient speaks for the mail: one of ours has a single recipient anyway."""
    reports = [report for group in _groups(part) if (report := _read_recipient(group))]
    for kind in (InboundKind.BOUNCE, InboundKind.DELAY):
        for report in reports:
            if report.kind is kind:
                return report
    return Report(InboundKind.UNKNOWN)


def _read_recipient(group: Message) -> Report | None:
    action, diagnostic = header(group, "Action").lower(), header(group, "Diagnostic-Code")
    status = _best_status(header(group, "Status"), diagnostic)
    recipient = _address(header(group, "Original-Recipient")) or _address(header(group, "Final-Recipient"))
    if action.startswith("fail") or (not action and status.startswith("5")):
        return Report(InboundKind.BOUNCE, status or _guess_status(diagnostic), _reason(diagnostic), recipient)
    if action.startswith("delay") or (not action and status.startswith("4")):
        return Report(InboundKind.DELAY, status, _reason(diagnostic), recipient)
    return None


def _best_status(given: str, diagnostic: str) -> str:
    """Servers that write a bare class ("5.0.0") often quote the true code of the other side."""
    status = _STATUS.search(given)
    if status and (status[2], status[3]) != ("0", "0"):
        return status[0]
    quoted = _STATUS.search(diagnostic)
    if quoted and (not status or quoted[1] == status[1]):
        return quoted[0]
    guessed = _guess_status(diagnostic) if not status or status[1] == "5" else ""
    return guessed or (status[0] if status else "")


def _guess_status(text: str) -> str:
    if words.BAD_ADDRESS.search(text):
        return "5.1.1"
    return "5.2.2" if words.FULL.search(text) else ""


def _read_letter(mail: Message) -> Report | None:
    """Read a report in prose: qmail, older Exim and Exchange, and home-made ones."""
    senders = f"{header(mail, 'From')} {header(mail, 'Return-Path')} {header(mail, 'Sender')}"
    is_reported = mail["X-Failed-Recipients"] is not None
    subject = header(mail, "Subject")
    if not (is_reported or (_DAEMON.search(senders) and (_BOUNCE_SUBJECT.search(subject) or _DELAY.search(subject)))):
        return None
    letter = readable_text(mail)[:8_000]
    status = _STATUS.search(letter)
    code = status[1] if status else (_REPLY_CODE.search(letter) or "0")[0][0]
    is_delay = _DELAY.search(f"{subject} {letter}") is not None
    recipient = _address(header(mail, "X-Failed-Recipients")) or _address(letter)
    is_failure = _FAILURE.search(letter) is not None
    is_waiting = is_delay and not (code == "5" or is_failure)
    if is_waiting or (code == "4" and not is_failure and not is_reported):
        return Report(InboundKind.DELAY, status[0] if status else "", _reason(letter), recipient)
    return Report(InboundKind.BOUNCE, status[0] if status else _guess_status(letter), _reason(letter), recipient)


def _address(text: str) -> str:
    """Return the first address in ``text`` that is neither ours nor a server's, in lower case."""
    found = (match[0] for match in _ADDRESS.finditer(text[: MAX_REASON * 8]))
    return next((address.lower() for address in found if not _OURS.search(address)), "")


def _groups(part: Message) -> list[Message]:
    """Return the groups of fields of a report part, which the parser reads as messages of their own."""
    payload = part.get_payload()
    groups = [group for group in payload if isinstance(group, Message)] if isinstance(payload, list) else []
    if part.get_content_type() == "message/global-delivery-status" and groups:
        # The parser knows only the older kind: it takes the first group for a header and the rest for its body.
        groups += [_fields_of(block) for block in _BLANK.split(part_text(groups[0]))]
    return groups or [_fields_of(part_text(part))]


def _fields_of(text: str) -> Message:
    fields: Message = Message()
    for line in text.splitlines()[:100]:
        name, colon, value = line.partition(":")
        if colon and name.strip():
            fields[name.strip()] = value.strip()
    return fields


def _reason(text: str) -> str:
    return clean_line(" ".join(text.split()))[:MAX_REASON]
