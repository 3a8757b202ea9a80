"""Opens a mail from a stranger: parsed by the standard library within bounds of size, parts and depth."""

import re
from collections.abc import Iterator
from email import policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from typing import Final

from postroom.kit.html import BadMarkup, html_to_text, inline_styles
from postroom.kit.mime import clean_line, clean_text

MAX_OCTETS: Final = 1024 * 1024
MAX_HEADER: Final = 64 * 1024
MAX_PARTS: Final = 100
MAX_NESTED: Final = 20
MAX_TEXT: Final = 64 * 1024
MAX_SUBJECT: Final = 998
MAX_FIELD: Final = 8 * 1024

_HEADER_END: Final = re.compile(rb"\r?\n\r?\n")
_PART_START: Final = re.compile(rb"^--", re.MULTILINE)
_NESTING: Final = re.compile(rb"multipart/|message/", re.IGNORECASE)


def open_mail(raw: bytes) -> Message:
    """Return the parsed mail, or its header alone when the body is a bomb; what is beyond the bounds is cut off."""
    start = raw[:MAX_OCTETS]
    header_end = _HEADER_END.search(start, 0, MAX_HEADER)
    if header_end is None:
        return BytesHeaderParser(policy=policy.compat32).parsebytes(start[:MAX_HEADER])
    if len(_PART_START.findall(start)) > MAX_PARTS * 4 or len(_NESTING.findall(start)) > MAX_NESTED:
        return BytesHeaderParser(policy=policy.compat32).parsebytes(start[: header_end.end()])
    return BytesParser(policy=policy.compat32).parsebytes(start)


def header(mail: Message, name: str) -> str:
    """Return a header field decoded, on one line, or nothing; raw octets are read as UTF-8 (RFC 6532)."""
    wanted = name.lower()
    raw = next((str(value) for known, value in mail.raw_items() if known.lower() == wanted), "")[:MAX_FIELD]
    value = raw if raw.isascii() else raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        return clean_line(str(make_header(decode_header(value))))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return clean_line(value)


def parts(mail: Message) -> Iterator[Message]:
    """Yield the mail and the parts inside it, the first ``MAX_PARTS``."""
    for count, part in enumerate(mail.walk()):
        if count >= MAX_PARTS:
            return
        yield part


def part_text(part: Message) -> str:
    """Return the text of one part, decoded as well as can be."""
    octets = part.get_payload(decode=True)
    if not isinstance(octets, bytes):
        return ""
    charset = str(part.get_content_charset() or "utf-8")
    try:
        text = octets[: 4 * MAX_TEXT].decode(charset, "replace")
    except (LookupError, UnicodeError):
        text = octets[: 4 * MAX_TEXT].decode("latin-1")
    return clean_text(text)[:MAX_TEXT]


def readable_text(mail: Message) -> str:
    """Return what a person would read: the first plain text, or the text of the first HTML."""
    found = {part.get_content_type(): part for part in reversed(list(parts(mail))) if not part.is_multipart()}
    if "text/plain" in found:
        return part_text(found["text/plain"])
    if "text/html" not in found:
        return ""
    try:
        return html_to_text(inline_styles(part_text(found["text/html"])))[:MAX_TEXT]
    except BadMarkup:
        return ""
