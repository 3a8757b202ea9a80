"""What the world would send back: delivery status reports, feedback reports and replies, for the sandbox."""

from datetime import datetime
from email import policy
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.parser import BytesHeaderParser
from email.utils import format_datetime
from typing import Final

from postroom.kit.mime import clean_line

_REPORTER: Final = "mail.sandbox.invalid"
_MAX_HEADER: Final = 256 * 1024
_POLICY: Final = policy.SMTP.clone(cte_type="7bit")
_EXPLANATIONS: Final = {"5.1.1": "The mailbox does not exist", "5.2.2": "The mailbox is full"}


def build_dsn(*, original: bytes, recipient: str, return_path: str, status: str, at: datetime) -> bytes:
    """Return a delivery status report (RFC 3464) of one recipient, from the null sender, with the original's header."""
    reason = _EXPLANATIONS.get(status, "The message could not be delivered")
    action = "delayed" if status.startswith("4.") else "failed"
    report = _report("delivery-status")
    _address(report, sender=f"MAILER-DAEMON@{_REPORTER}", to=return_path, subject="Delivery status report", at=at)
    report["Auto-Submitted"] = "auto-replied"
    report.attach(MIMEText(f"Your message could not be delivered to {clean_line(recipient)}.\n\n{reason}.\n"))
    report.attach(_delivery_status(clean_line(recipient), action, status, reason, at))
    report.attach(_original_header(original))
    return _octets(report)


def build_arf(*, original: bytes, recipient: str, to: str, at: datetime) -> bytes:
    """Return a feedback report (RFC 5965) of the kind "abuse", with the original's header."""
    report = _report("feedback-report")
    _address(report, sender=f"feedback@{_REPORTER}", to=to, subject="Complaint", at=at)
    report.attach(MIMEText("This is a report of a message that its recipient called unwanted.\n"))
    feedback = MIMEBase("message", "feedback-report")
    fields = {
        "Feedback-Type": "abuse",
        "User-Agent": "Postroom-Sandbox/1",
        "Version": "1",
        "Original-Rcpt-To": clean_line(recipient),
        "Arrival-Date": format_datetime(at),
        "Reported-Domain": _REPORTER,
    }
    feedback.set_payload([_fields(fields)])
    report.attach(feedback)
    report.attach(_original_header(original))
    return _octets(report)


def build_reply(*, original: bytes, recipient: str, to: str, text: str, at: datetime) -> bytes:
    """Return a person's plain answer that threads with the original (RFC 5322, section 3.6.4)."""
    headers = _headers_of(original)
    reply = MIMEText(f"{text}\n", _charset="utf-8")
    subject = clean_line(str(headers["Subject"] or ""))
    _address(reply, sender=recipient, to=to, subject=f"Re: {subject}", at=at)
    if message_id := clean_line(str(headers["Message-ID"] or "")):
        reply["In-Reply-To"] = message_id
        reply["References"] = message_id
    return _octets(reply)


def _report(kind: str) -> MIMEMultipart:
    report = MIMEMultipart("report")
    report.set_param("report-type", kind)
    return report


def _delivery_status(recipient: str, action: str, status: str, reason: str, at: datetime) -> Message:
    part = MIMEBase("message", "delivery-status")
    per_recipient = {
        "Final-Recipient": f"rfc822; {recipient}",
        "Action": action,
        "Status": status,
        "Diagnostic-Code": f"smtp; {'450' if action == 'delayed' else '550'} {status} {reason}",
    }
    per_message = {"Reporting-MTA": f"dns; {_REPORTER}", "Arrival-Date": format_datetime(at)}
    part.set_payload([_fields(per_message), _fields(per_recipient)])
    return part


def _fields(values: dict[str, str]) -> Message:
    fields = Message(policy=policy.compat32)
    for name, value in values.items():
        fields[name] = value
    return fields


def _original_header(original: bytes) -> Message:
    part = MIMEText("", "rfc822-headers", "us-ascii")
    header = original[:_MAX_HEADER].partition(b"\r\n\r\n")[0]
    part.set_payload(header.decode("ascii", "replace").replace("\r\n", "\n") + "\n")
    return part


def _headers_of(original: bytes) -> Message:
    return BytesHeaderParser(policy=policy.compat32).parsebytes(original[:_MAX_HEADER])


def _address(message: Message, *, sender: str, to: str, subject: str, at: datetime) -> None:
    message["From"] = clean_line(sender)
    message["To"] = clean_line(to)
    message["Subject"] = subject
    message["Date"] = format_datetime(at)


def _octets(message: Message) -> bytes:
    return message.as_bytes(policy=_POLICY)
