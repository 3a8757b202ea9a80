"""One envelope as SMTP commands and content, checked so that nothing in it can be read as another command."""

import re
from dataclasses import dataclass, field
from typing import Final

import idna

from postroom.core.mail.ports import Envelope, Outcome, Result
from postroom.providers.smtp.errors import EnvelopeRefused
from postroom.providers.smtp.replies import Reply, clean, read_result
from postroom.providers.smtp.session import Features

_ATOM = r"[^\x00-\x20\x7f-\xa0\u2028\u2029<>()\[\]\\,;:@\".]+"
_LOCAL = rf'{_ATOM}(?:\.{_ATOM})*|"(?:[^\x00-\x1f\x7f-\xa0\u2028\u2029"\\]|\\[\x20-\x7e])*"'
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*|\[(?:[0-9.]+|IPv6:[0-9A-Fa-f:.]+)\]"
_MAILBOX: Final = re.compile(rf"(?:{_LOCAL})@(?:{_DOMAIN})")
_MAX_PATH: Final = 254
_ODD_LINE_END: Final = re.compile(rb"\r(?!\n[^.])")
"""A CR without LF, a line that starts with a dot, or the end: one fast scan that most messages pass."""


@dataclass(slots=True)
class Transaction:
    """An envelope on its way: ``commands`` are MAIL, each RCPT and DATA; ``step`` is the one whose reply is due.

    Step -1 is a RSET ahead of them. ``content`` is dot-stuffed and ends in the final dot.
    """

    envelope: Envelope
    commands: tuple[bytes, ...]
    content: bytes
    step: int = 0
    refusal: Reply | None = None
    refused: list[tuple[str, int, str]] = field(default_factory=list)

    @property
    def is_at_data(self) -> bool:
        """Whether the reply that is due is the one to DATA."""
        return self.step == len(self.commands) - 1

    def opening(self) -> bytes:
        """Return everything up to DATA as one command group (RFC 2920)."""
        commands = b"".join(self.commands)
        return b"RSET\r\n" + commands if self.step < 0 else commands

    def command(self) -> bytes:
        """Return the one command whose reply is due."""
        return b"RSET\r\n" if self.step < 0 else self.commands[self.step]

    def refuse_recipient(self, code: int, text: bytes) -> None:
        """Note a 4xx or 5xx to the RCPT whose reply was due; after a refused MAIL it says nothing new."""
        if self.refusal is None:
            self.refused.append((self.envelope.recipients[self.step - 1], code, clean(text)))

    def result(self, code: int, text: bytes) -> Result:
        """Return the result of the reply ``code`` to DATA or to the whole message."""
        return read_result(code, text, tuple(self.refused))

    def verdict(self) -> Result | None:
        """Return the result when the server has turned down the sender, or every recipient (4xx when any is 4xx)."""
        if self.refusal is not None:
            return read_result(*self.refusal)
        if len(self.refused) < len(self.envelope.recipients):
            return None
        _, code, text = min(self.refused, key=lambda refusal: refusal[1])
        return read_result(code, text.encode(), tuple(self.refused) if len(self.refused) > 1 else ())


def refused_here(error: EnvelopeRefused) -> Result:
    """Return the result of an envelope that we did not even offer."""
    return Result(Outcome.FAILED, enhanced=error.enhanced, text=error.message)


def prepare(envelope: Envelope, features: Features) -> Transaction:
    """Return ``envelope`` as the server with ``features`` can take it. Raises EnvelopeRefused."""
    if not envelope.recipients:
        raise EnvelopeRefused("The envelope has no recipient.", enhanced="5.5.4")
    sender = read_mailbox(envelope.return_path, "5.1.7") if envelope.return_path else b""
    recipients = [read_mailbox(address, "5.1.3") for address in envelope.recipients]
    parameters = _parameters(envelope.body, b"".join((sender, *recipients)).isascii(), features)
    commands = (
        b"MAIL FROM:<" + sender + b">" + parameters + b"\r\n",
        *[b"RCPT TO:<" + recipient + b">\r\n" for recipient in recipients],
        b"DATA\r\n",
    )
    return Transaction(envelope, commands, stuff(envelope.body))


def read_mailbox(address: str, enhanced: str) -> bytes:
    """Return ``address`` as it may stand in a command, its domain as A-labels (RFC 5890).

    Raises EnvelopeRefused for anything that is no mailbox of RFC 5321 section 4.1.2 or RFC 6531.
    """
    if not address.isascii():
        local, _, domain = address.rpartition("@")
        address = f"{local}@{_a_labels(domain, enhanced)}"
    local_octets = len(address.rpartition("@")[0].encode("utf-8", "replace"))
    if len(address) > _MAX_PATH or local_octets > 64 or not _MAILBOX.fullmatch(address):
        raise EnvelopeRefused(f"{address[:100]!r} is not a valid address.", enhanced=enhanced)
    try:
        return address.encode()
    except UnicodeEncodeError:
        raise EnvelopeRefused(f"{address[:100]!r} is not valid Unicode.", enhanced=enhanced) from None


def _a_labels(domain: str, enhanced: str) -> str:
    try:
        return domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise EnvelopeRefused(f"{domain[:100]!r} is not a valid domain ({error}).", enhanced=enhanced) from None


def _parameters(body: bytes, is_ascii: bool, features: Features) -> bytes:
    """Return the parameters of MAIL (RFC 1870, 6152, 6531). Raises EnvelopeRefused for what the server cannot take."""
    parameters = b""
    if features.has_size:
        if 0 < features.size < len(body):
            reason = f"The message has {len(body)} octets, the server takes {features.size}."
            raise EnvelopeRefused(reason, enhanced="5.3.4")
        parameters = b" SIZE=%d" % len(body)
    if not body.isascii():
        if not features.has_8bitmime:
            raise EnvelopeRefused("The message has 8-bit text, which the server does not take.", enhanced="5.6.3")
        parameters += b" BODY=8BITMIME"
    if not is_ascii:
        if not features.has_smtputf8:
            raise EnvelopeRefused("The server does not take addresses beyond ASCII (SMTPUTF8).", enhanced="5.6.7")
        parameters += b" SMTPUTF8"
    return parameters


def stuff(body: bytes) -> bytes:
    """Return ``body`` ready to follow DATA: leading dots doubled, final dot added (RFC 5321 section 4.5.2).

    Raises EnvelopeRefused for a bare CR or LF, with which a reader of other habits could see a second message.
    """
    odd = _ODD_LINE_END.search(body)
    if odd is not None and body[odd.start() :] != b"\r\n":
        body = _stuff_lines(body)
    elif body.count(b"\n") != body.count(b"\r"):
        raise _bad_line_end()
    if body[:1] == b".":
        body = b"." + body
    return body + (b".\r\n" if body[-2:] == b"\r\n" or not body else b"\r\n.\r\n")


def _stuff_lines(body: bytes) -> bytes:
    if not body.count(b"\r\n") == body.count(b"\n") == body.count(b"\r"):
        raise _bad_line_end()
    return body.replace(b"\r\n.", b"\r\n..")


def _bad_line_end() -> EnvelopeRefused:
    return EnvelopeRefused("The message has a line end that is not CRLF.", enhanced="5.6.0")
