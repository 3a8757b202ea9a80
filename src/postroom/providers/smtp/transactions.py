"""One envelope as SMTP commands and content, checked so that nothing in it can be read as another command."""

import re
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
_PLAIN_MAILBOX: Final = re.compile(
    r"(?=[^@]{1,64}@.{1,189}\Z)[A-Za-z0-9_+-]+(?:[.=][A-Za-z0-9_+-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]{2,63}"
)
"""What nearly all mailboxes look like, and what the expression above would take a while to say."""
_MAX_PATH: Final = 254
END: Final = b".\r\n"
"""What ends content that itself ends a line (RFC 5321 section 4.1.1.4)."""
_ODD_LINE_END: Final = re.compile(rb"\r(?!\n[^.])")
"""A CR without LF, a line that starts with a dot, or the end: one fast scan that most messages pass."""


class Transaction:
    """An envelope on its way: MAIL, each RCPT and DATA are its commands; ``step`` is the one whose reply is due.

    Step -1 is a RSET ahead of them. ``content`` is dot-stuffed; with ``END`` after it, it is complete. ``said`` keeps
    the replies to the commands.
    """

    __slots__ = ("content", "envelope", "last_step", "opening", "refusal", "refused", "said", "step")

    def __init__(self, envelope: Envelope, opening: bytes, content: bytes) -> None:
        self.envelope = envelope
        self.opening = opening
        self.content = content
        self.last_step = 1 + len(envelope.recipients)
        self.step = 0
        self.refusal: Reply | None = None
        self.refused: tuple[tuple[str, int, str], ...] = ()
        self.said = ""

    @property
    def is_at_data(self) -> bool:
        """Whether the reply that is due is the one to DATA."""
        return self.step == self.last_step

    @property
    def commands(self) -> tuple[bytes, ...]:
        """The commands one by one."""
        return tuple(self.opening.splitlines(keepends=True))

    def reset_first(self) -> None:
        """Have a RSET go ahead of the commands."""
        self.step = -1

    def group(self) -> bytes:
        """Return everything up to DATA as one command group (RFC 2920)."""
        return b"RSET\r\n" + self.opening if self.step < 0 else self.opening

    def command(self) -> bytes:
        """Return the one command whose reply is due."""
        return b"RSET\r\n" if self.step < 0 else self.commands[self.step]

    def note(self, code: int, text: bytes) -> None:
        """Keep the reply to the command whose reply was due."""
        verb = self.command()[:4].decode("ascii")
        self.said += f"{verb}: {code} {clean(text)}\n"

    def refuse_recipient(self, code: int, text: bytes) -> None:
        """Note a 4xx or 5xx to the RCPT whose reply was due; after a refused MAIL it says nothing new."""
        if self.refusal is None:
            self.refused += ((self.envelope.recipients[self.step - 1], code, clean(text)),)

    def result(self, code: int, text: bytes) -> Result:
        """Return the result of the reply ``code`` to DATA or to the whole message."""
        return read_result(code, text, self.refused)

    def verdict(self) -> Result | None:
        """Return the result when the server has turned down the sender, or every recipient (4xx when any is 4xx)."""
        if self.refusal is not None:
            return read_result(*self.refusal)
        if len(self.refused) < len(self.envelope.recipients):
            return None
        _, code, text = min(self.refused, key=lambda refusal: refusal[1])
        return read_result(code, text.encode(), self.refused if len(self.refused) > 1 else ())


def refused_here(error: EnvelopeRefused) -> Result:
    """Return the result of an envelope that we did not even offer."""
    return Result(Outcome.FAILED, enhanced=error.enhanced, text=error.message)


def prepare(envelope: Envelope, features: Features) -> Transaction:
    """Return ``envelope`` as the server with ``features`` can take it. Raises EnvelopeRefused."""
    if not envelope.recipients:
        raise EnvelopeRefused("The envelope has no recipient.", enhanced="5.5.4")
    sender = read_mailbox(envelope.return_path, "5.1.7") if envelope.return_path else b""
    recipients = [b"RCPT TO:<%b>\r\n" % read_mailbox(address, "5.1.3") for address in envelope.recipients]
    said = b"".join(recipients)
    parameters = _parameters(envelope, sender.isascii() and said.isascii(), features)
    opening = b"MAIL FROM:<%b>%b\r\n%bDATA\r\n" % (sender, parameters, said)
    return Transaction(envelope, opening, envelope.body if envelope.is_plain else stuff(envelope.body))


def read_mailbox(address: str, enhanced: str) -> bytes:
    """Return ``address`` as it may stand in a command, its domain as A-labels (RFC 5890).

    Raises EnvelopeRefused for anything that is no mailbox of RFC 5321 section 4.1.2 or RFC 6531.
    """
    if _PLAIN_MAILBOX.fullmatch(address):
        return address.encode("ascii")
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


def _parameters(envelope: Envelope, is_ascii: bool, features: Features) -> bytes:
    """Return the parameters of MAIL (RFC 1870, 6152, 6531). Raises EnvelopeRefused for what the server cannot take."""
    parameters, body = b"", envelope.body
    if features.has_size:
        if 0 < features.size < len(body):
            reason = f"The message has {len(body)} octets, the server takes {features.size}."
            raise EnvelopeRefused(reason, enhanced="5.3.4")
        parameters = b" SIZE=%d" % len(body)
    if not envelope.is_plain and not body.isascii():
        if not features.has_8bitmime:
            raise EnvelopeRefused("The message has 8-bit text, which the server does not take.", enhanced="5.6.3")
        parameters += b" BODY=8BITMIME"
    if not is_ascii:
        if not features.has_smtputf8:
            raise EnvelopeRefused("The server does not take addresses beyond ASCII (SMTPUTF8).", enhanced="5.6.7")
        parameters += b" SMTPUTF8"
    return parameters


def stuff(body: bytes) -> bytes:
    """Return ``body`` ready to follow DATA, but for ``END``: leading dots doubled, its last line ended (RFC 5321
    section 4.5.2).

    Raises EnvelopeRefused for a bare CR or LF, with which a reader of other habits could see a second message.
    """
    odd = _ODD_LINE_END.search(body)
    if odd is not None and body[odd.start() :] != b"\r\n":
        body = _stuff_lines(body)
    elif body.count(b"\n") != body.count(b"\r"):
        raise _bad_line_end()
    if body[:1] == b".":
        body = b"." + body
    return body if body[-2:] == b"\r\n" or not body else body + b"\r\n"


def _stuff_lines(body: bytes) -> bytes:
    if not body.count(b"\r\n") == body.count(b"\n") == body.count(b"\r"):
        raise _bad_line_end()
    return body.replace(b"\r\n.", b"\r\n..")


def _bad_line_end() -> EnvelopeRefused:
    return EnvelopeRefused("The message has a line end that is not CRLF.", enhanced="5.6.0")
