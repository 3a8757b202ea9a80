"""A finished message taken apart again, for providers that want its pieces."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.mime.base import MIMEBase
from email.utils import getaddresses
from functools import cached_property
from typing import Any, Final

from django.core.mail import EmailMultiAlternatives

from postroom.core.mail.ports import Envelope

NUMBER: Final = "postroom"
"""The name under which a provider keeps our number of a message, and gives it back with its events."""

_SIGNATURE: Final = re.compile(rb"^DKIM-Signature:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*", re.MULTILINE | re.IGNORECASE)
_OWN_FIELDS: Final = frozenset(
    {"from", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id", "mime-version", "sender"}
    | {"dkim-signature", "return-path", "received"}
)


class Letter:
    """One message on its way to a provider."""

    def __init__(self, envelope: Envelope) -> None:
        self.envelope = envelope

    @property
    def number(self) -> str:
        """Our number of the message."""
        return str(self.envelope.message_id)

    @property
    def key(self) -> str:
        """What makes the message the same one when it is sent again: its Message-ID, without brackets."""
        return str(self.mail.get("Message-ID", "")).strip(" <>")[:256]

    @property
    def raw(self) -> bytes:
        """The octets without our DKIM signature: the provider changes fields that it covers, and adds its own."""
        head, gap, body = self.envelope.body.partition(b"\r\n\r\n")
        return _SIGNATURE.sub(b"", head + b"\r\n").removesuffix(b"\r\n") + gap + body

    @cached_property
    def mail(self) -> EmailMessage:
        """The message as the standard library reads it."""
        found = message_from_bytes(self.envelope.body, policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found

    @property
    def sender(self) -> str:
        """The address in From."""
        return self.addresses("From")[0][1]

    def addresses(self, field: str) -> list[tuple[str, str]]:
        """Return the (name, address) pairs of an address field."""
        return getaddresses([str(value) for value in self.mail.get_all(field, [])])

    def headers(self) -> dict[str, str]:
        """Return the fields that a provider does not make itself."""
        return {
            name: str(value)
            for name, value in self.mail.items()
            if name.lower() not in _OWN_FIELDS and not name.lower().startswith("content-")
        }

    def to_django(self) -> EmailMultiAlternatives:
        """Return the message as Django has it, which is what Anymail takes."""
        parts = _read_parts(self.mail)
        going = [address.lower() for address in self.envelope.recipients]
        named = {address.lower() for field in ("To", "Cc") for _, address in self.addresses(field)}
        hidden = [address for address in self.envelope.recipients if address.lower() not in named]
        to, cc = _written(self.mail, "To", going), _written(self.mail, "Cc", going)
        if len(going) == len(hidden) == 1:
            to, hidden = hidden, []  # providers want somebody in To; this one learns of nobody else
        made = EmailMultiAlternatives(
            subject=str(self.mail.get("Subject", "")),
            body=parts.text,
            from_email=str(self.mail.get("From", "")),
            to=to,
            cc=cc,
            bcc=hidden,
            reply_to=_written(self.mail, "Reply-To"),
            headers=self.headers(),
        )
        if parts.html:
            made.attach_alternative(parts.html, "text/html")
        made.attachments = list(parts.files)
        return made


@dataclass(frozen=True, slots=True)
class _Parts:
    text: str
    html: str
    files: tuple[Any, ...]


def _read_parts(mail: EmailMessage) -> _Parts:
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    bodies = {id(text), id(html)}
    leaves = [part for part in _leaves(mail) if id(part) not in bodies]
    return _Parts(_content(text), _content(html), tuple(_to_mime(part) for part in leaves))


def _leaves(mail: EmailMessage) -> Iterator[EmailMessage]:
    for part in mail.walk():
        if not part.is_multipart() and isinstance(part, EmailMessage):
            yield part


def _content(part: Any) -> str:
    """Line ends are ours, whatever the mail's: a provider makes the mail anew."""
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""


def _to_mime(part: EmailMessage) -> MIMEBase:
    """The kind of attachment that Django 5 and Anymail both know."""
    made = MIMEBase(part.get_content_maintype(), part.get_content_subtype())
    content = part.get_payload(decode=True)
    made.set_payload(content if isinstance(content, bytes) else b"")
    disposition = part.get_content_disposition() or "attachment"
    made.add_header("Content-Disposition", disposition, filename=part.get_filename() or "attachment")
    if content_id := part.get("Content-ID"):
        made["Content-ID"] = str(content_id)
    return made


def _written(mail: EmailMessage, field: str, among: Sequence[str] | None = None) -> list[str]:
    """Return the addresses of a field; only those ``among`` the recipients where it decides who gets the message."""
    value = mail.get(field)
    addresses = value.addresses if value is not None else ()
    return [str(one) for one in addresses if among is None or one.addr_spec.lower() in among]
