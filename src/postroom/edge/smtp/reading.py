"""A mail as a mail client hands it over, read into what the core takes. The envelope says who gets it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import Final

from postroom.core.mail.errors import BadMessage
from postroom.core.mail.rules.headers import UNDISCLOSED
from postroom.core.mail.types import Submission
from postroom.edge.smtp.fields import MAX_HEADER, Fields, mend_lines
from postroom.edge.smtp.parts import check_shape, read_body

MAX_FROM: Final = 600
MAX_SHOWN: Final = 100

_END_OF_HEADER: Final = re.compile(rb"\r?\n\r?\n")

Mailboxes = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Handed:
    """A mail that was read: what is submitted, its client's Message-ID, and the header fields that were left out."""

    submission: Submission
    message_id: str
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Recipients:
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    shown: Mapping[str, tuple[str, ...]]


def read_mail(raw: bytes, recipients: Sequence[str]) -> Handed:
    """Return what a client submits for these recipients of the envelope. Raises BadMessage."""
    end = _END_OF_HEADER.search(raw)
    header, rest = (raw[: end.start()], raw[end.start() :]) if end else (raw, b"")
    if len(header) > MAX_HEADER:
        raise BadMessage(f"The header is larger than {MAX_HEADER} octets.")
    check_shape(raw)
    lines, unreadable = mend_lines(header)
    try:
        mail = message_from_bytes(lines + rest, policy=policy.compat32)
        fields = Fields(mail)
        body = read_body(mail)
    except (RecursionError, LookupError, ValueError, TypeError, AttributeError) as error:
        # The library meets malformed mail with any of these.
        raise BadMessage("The message is too malformed to be read.") from error
    who = _place(recipients, fields.mailboxes("to"), fields.mailboxes("cc"))
    headers, left_out = fields.own()
    submission = Submission(
        from_address=_read_from(fields),
        to=who.to,
        cc=who.cc,
        bcc=who.bcc,
        shown=who.shown,
        reply_to=tuple(text for text, _ in fields.mailboxes("reply-to")),
        subject=fields.text("subject"),
        html=body.html or "",
        text=body.text or "",
        headers=headers,
        attachments=tuple(body.files),
    )
    return Handed(submission, fields.text("message-id"), left_out + unreadable)


def _read_from(fields: Fields) -> str:
    found = fields.mailboxes("from")
    if len(found) != 1:
        raise BadMessage("The message needs a From field with one address.")
    if len(found[0][0]) > MAX_FROM:
        raise BadMessage("The name in the From field is too long.")
    return found[0][0]


def _place(recipients: Sequence[str], to: Mailboxes, cc: Mailboxes) -> _Recipients:
    """Put each recipient under To, Cc or, where no field names it, Bcc; the fields show what the client wrote.

    A message needs somebody in To: where its To names nobody who gets it, those of Cc stand in, or else of Bcc.
    """
    if len(to) + len(cc) > MAX_SHOWN:
        raise BadMessage(f"To and Cc name more than {MAX_SHOWN} addresses.")
    waiting = {address.lower(): address for address in recipients}
    in_to, in_cc = _take(waiting, to), _take(waiting, cc)
    hidden = tuple(waiting.values())
    shown = {"to": tuple(text for text, _ in to) or (UNDISCLOSED,)}
    if cc:
        shown["cc"] = tuple(text for text, _ in cc)
    if shown == ({"to": in_to, "cc": in_cc} if in_cc else {"to": in_to}):
        shown = {}
    if not in_to:
        in_to, in_cc, hidden = (in_cc, (), hidden) if in_cc else (hidden, (), ())
    return _Recipients(in_to, in_cc, hidden, shown)


def _take(waiting: dict[str, str], mailboxes: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    found = [waiting.pop(address.lower(), None) for _, address in mailboxes]
    return tuple(address for address in found if address is not None)
