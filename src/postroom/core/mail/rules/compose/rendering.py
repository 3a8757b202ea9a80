"""Renders one complete message (RFC 5322): header fields, then the compiled body with its gaps filled."""

from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Final

from postroom.core.mail.errors import BadAddress, BadHeader
from postroom.core.mail.rules.compose.compiling import CompiledContent
from postroom.core.mail.rules.compose.filling import make_url
from postroom.core.mail.rules.compose.values import UNSUBSCRIBE, RenderJob
from postroom.core.mail.rules.headers import check_header, format_address, is_plain_email, parse_addresses
from postroom.kit.mime import clean_line, header_field

_OURS: Final = frozenset(("list-unsubscribe", "list-unsubscribe-post"))
_ONE_CLICK: Final = b">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
_LINE: Final = 76
_FOLD: Final = "\r\n "


def render(compiled: CompiledContent, job: RenderJob) -> bytes:
    """Return the message: CRLF line ends, no line above 998 octets, no body line above 76, and nothing but ASCII
    outside of addresses that themselves are not (RFC 6532).

    A recipient's values cannot add a header or a part: they are cleaned and encoded. Raises BadHeader and BadAddress
    for what the sender chose badly, TemplateRefused where a template fails on these values.
    """
    made = [fill(job) for fill in compiled.fillers]
    pieces = list(compiled.skeleton)
    for gap, filler in compiled.gaps:
        pieces[gap] = made[filler]
    return b"".join((*_header(compiled, job), compiled.content_type, *pieces))


def _header(compiled: CompiledContent, job: RenderJob) -> Iterable[bytes]:
    yield _fixed(job.from_, tuple(job.headers.items()) if job.headers else (), job.list_unsubscribe)
    if job.reply_to:
        yield _addresses("Reply-To", job.reply_to)
    yield _addresses("To", job.to)
    if job.cc:
        yield _addresses("Cc", job.cc)
    yield _date(job.date)
    yield _message_id(job.message_id_header)
    subject = "".join([part if isinstance(part, str) else part(job) for part in compiled.subject])
    yield header_field("Subject", clean_line(subject))
    if job.list_unsubscribe:
        yield b"List-Unsubscribe: <" + make_url(UNSUBSCRIBE, job).encode("ascii") + _ONE_CLICK
    yield b"MIME-Version: 1.0\r\n"


@lru_cache(maxsize=256)
def _fixed(from_: str, extra: tuple[tuple[str, str], ...], is_bulk: bool) -> bytes:
    """What all messages of one sender share."""
    senders = parse_addresses(from_)
    if len(senders) != 1:
        raise BadAddress(f"From must be one address, not {len(senders)}.")
    fields = [_addresses("From", (from_,))]
    seen: set[str] = set()
    for name, value in extra:
        check_header(name, value)
        if name.lower() in seen:
            raise BadHeader(f"The header {name} is given twice.")
        seen.add(name.lower())
        if not (is_bulk and name.lower() in _OURS):
            fields.append(header_field(name, clean_line(value)))
    return b"".join(fields)


def _addresses(name: str, addresses: tuple[str, ...]) -> bytes:
    lines = [line for text in addresses for line in _mailboxes(text)]
    if not lines:
        raise BadAddress(f"{name} names nobody.")
    if len(lines) == 1 and len(name) + 2 + len(lines[0]) <= _LINE:
        return f"{name}: {lines[0]}\r\n".encode()
    folded = [line.replace("?= =?", f"?={_FOLD}=?").replace("?= <", f"?={_FOLD}<") for line in lines]
    return f"{name}: {(',' + _FOLD).join(folded)}\r\n".encode()


def _mailboxes(text: str) -> list[str]:
    return [text] if is_plain_email(text) else [format_address(*pair) for pair in parse_addresses(text)]


def _message_id(value: str) -> bytes:
    if not (value.isascii() and value.isprintable() and len(value) <= 255 and " " not in value):
        raise BadHeader("The Message-ID is not a plain word.")
    return f"Message-ID: {value}\r\n".encode("ascii")


def _date(moment: datetime) -> bytes:
    return _date_line(moment.replace(microsecond=0))


@lru_cache(maxsize=64)
def _date_line(moment: datetime) -> bytes:
    return f"Date: {format_datetime(moment)}\r\n".encode("ascii")
