"""Mail that comes in by a provider's webhook: as the octets that the provider received."""

import base64
import json
from collections.abc import Callable, Mapping
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any, Final
from urllib.parse import parse_qsl

from postroom.core.mail.types import InboundMail, Provider


def read_incoming(provider: Provider, body: bytes, content_type: str) -> InboundMail:
    """Return the mail that a webhook brings. Raises KeyError, ValueError or TypeError for a body that brings none."""
    reader = _READERS.get(provider)
    if reader is None:
        raise ValueError(f"{provider.label} does not bring mail in a form that is read here.")
    return reader(body, content_type)


def read_form(body: bytes, content_type: str) -> dict[str, bytes]:
    """Return the fields of a form, as a browser would send them (multipart or urlencoded)."""
    if content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
        pairs = parse_qsl(body.decode("ascii", "replace"), keep_blank_values=True, encoding="latin-1")
        return {name: value.encode("latin-1") for name, value in pairs}
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    form = BytesParser(policy=policy.HTTP).parsebytes(head + body)
    if not isinstance(form, EmailMessage) or not form.is_multipart():
        raise ValueError("This is no form.")
    return {str(part.get_param("name", "", "content-disposition")): _octets(part) for part in form.iter_parts()}


def _octets(part: Any) -> bytes:
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _mailgun(body: bytes, content_type: str) -> InboundMail:
    """A route that forwards to an address ending in ``mime``, or has the whole message posted."""
    form = read_form(body, content_type)
    return InboundMail(form["sender"].decode(), (form["recipient"].decode(),), form["body-mime"])


def _postmark(body: bytes, content_type: str) -> InboundMail:
    """With "Include raw email content in JSON payload" switched on at the inbound stream."""
    said = json.loads(body)
    recipients = [one["Email"] for name in ("ToFull", "CcFull", "BccFull") for one in said.get(name) or ()]
    recipient = said.get("OriginalRecipient")
    raw = said["RawEmail"].encode("utf-8", "surrogateescape")
    return InboundMail(str(said.get("From") or ""), (recipient,) if recipient else tuple(recipients), raw)


def _sendgrid(body: bytes, content_type: str) -> InboundMail:
    """With "POST the raw, full MIME message" switched on."""
    form = read_form(body, content_type)
    envelope = json.loads(form["envelope"])
    return InboundMail(str(envelope.get("from") or ""), tuple(envelope["to"]), form["email"])


def _mailersend(body: bytes, content_type: str) -> InboundMail:
    data = json.loads(body)["data"]
    recipients = tuple(one["email"] for one in data["recipients"]["rcptTo"])
    return InboundMail(str((data.get("sender") or {}).get("email") or ""), recipients, data["raw"].encode())


def _ses(body: bytes, content_type: str) -> InboundMail:
    """A receipt rule with an SNS action."""
    event = json.loads(json.loads(body)["Message"])
    content = event["content"]
    is_encoded = event["receipt"]["action"].get("encoding") == "BASE64"
    raw = base64.b64decode(content) if is_encoded else content.encode()
    return InboundMail(event["mail"]["source"], tuple(event["receipt"]["recipients"]), raw)


_READERS: Final[Mapping[Provider, Callable[[bytes, str], InboundMail]]] = {
    Provider.MAILGUN: _mailgun,
    Provider.POSTMARK: _postmark,
    Provider.SENDGRID: _sendgrid,
    Provider.MAILERSEND: _mailersend,
    Provider.SES: _ses,
}
