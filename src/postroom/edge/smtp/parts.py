"""The body of a handed-over mail taken apart: its text, its HTML, and everything else as files."""

import re
from dataclasses import dataclass, field
from email.message import Message
from email.policy import compat32
from mimetypes import guess_extension
from typing import Final
from urllib.parse import quote

from postroom.core.mail.errors import BadMessage
from postroom.core.mail.rules.attachments import proper_name, proper_type
from postroom.core.mail.types import Attachment
from postroom.edge.smtp.fields import decode_words, read_octets
from postroom.kit.mime import clean_text

MAX_DEPTH: Final = 20
MAX_NESTED: Final = 50
MAX_BOUNDARY_LINES: Final = 20_000

_NESTED: Final = re.compile(rb"^content-type:\s*(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)
_SEALED: Final = ("multipart/signed", "multipart/encrypted", "application/pkcs7-mime")
_OTHER_NAMES: Final = {"text/calendar": "invite.ics", "message/rfc822": "message.eml", "text/plain": "text.txt"}
_NO_TEXTS: Final = frozenset(
    {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "utf_7", "utf-7"}
)
"""Codecs of Python's that are no charset of a mail, or that cost more than they should."""
_AS_IT_IS: Final = compat32.clone(linesep="\r\n", max_line_length=None)


@dataclass(slots=True)
class Body:
    """What a mail says and brings along."""

    text: str | None = None
    html: str | None = None
    files: list[Attachment] = field(default_factory=list)


def check_shape(raw: bytes) -> None:
    """Refuse a mail that would cost too much to read, before it is read. Raises BadMessage."""
    if raw.count(b"\n--") > MAX_BOUNDARY_LINES:
        raise BadMessage(f"More than {MAX_BOUNDARY_LINES} lines begin as boundaries between parts do.")
    if len(_NESTED.findall(raw)) > MAX_NESTED:
        raise BadMessage(f"More than {MAX_NESTED} parts hold parts of their own.")


def read_body(mail: Message) -> Body:
    """Return the first text, the first HTML and all other parts of ``mail``, these as files, in order.

    A file keeps its content id where the HTML shows it. Raises BadMessage for what cannot be sent as it is.
    """
    body = Body()
    _collect(mail, body, 0)
    html = body.html or ""
    body.files = [_without_idle_id(one, html) for one in body.files]
    if not (body.text or "").strip() and not html.strip() and body.files:
        body.text = "Attached: " + ", ".join(one.name for one in body.files) + "\n"
    return body


def _collect(part: Message, body: Body, depth: int) -> None:
    kind = part.get_content_type()
    if kind in _SEALED:
        raise BadMessage(f"A signed or encrypted mail ({kind}) cannot be passed on as it is.")
    if depth > MAX_DEPTH:
        raise BadMessage(f"Its parts are nested more than {MAX_DEPTH} deep.")
    if kind.startswith("multipart/") and part.is_multipart():
        for child in _children(part):
            _collect(child, body, depth + 1)
    elif kind == "text/plain" and body.text is None and not _is_file(part):
        body.text = _read_text(part)
    elif kind == "text/html" and body.html is None and not _is_file(part):
        body.html = _read_text(part)
    else:
        _add_file(part, body)


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []


def _is_file(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or part.get_filename() is not None


def _read_text(part: Message) -> str:
    octets = _octets(part)
    charset = str(part.get_content_charset() or "utf-8")
    for name in (charset if charset not in _NO_TEXTS else "utf-8", "utf-8"):
        try:
            return clean_text(octets.decode(name))
        except (LookupError, UnicodeError, ValueError):
            continue
    return clean_text(octets.decode("latin-1"))


def _octets(part: Message) -> bytes:
    if part.is_multipart():  # a mail that is attached; its parts are its own
        return b"".join(child.as_bytes(policy=_AS_IT_IS) for child in _children(part))
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _add_file(part: Message, body: Body) -> None:
    kind, content = proper_type(part.get_content_type()), _octets(part)
    content_id = (
        decode_words(read_octets(str(part.get("Content-ID") or ""))).strip().removeprefix("<").removesuffix(">")
    )
    otherwise = _OTHER_NAMES.get(kind) or f"part-{len(body.files) + 1}{guess_extension(kind) or '.bin'}"
    made = Attachment(proper_name(decode_words(part.get_filename() or ""), otherwise), kind, content, content_id)
    if content_id and any(one.content_id == content_id and one.content == content for one in body.files):
        return  # the same picture once more
    body.files.append(made)


def _without_idle_id(one: Attachment, html: str) -> Attachment:
    """Many clients give every file an id; only what the HTML shows belongs inside it (RFC 2392)."""
    if not one.content_id or f"cid:{one.content_id}" in html or f"cid:{quote(one.content_id, safe='')}" in html:
        return one
    return Attachment(one.name, one.content_type, one.content)
