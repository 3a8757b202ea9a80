"""The plain way to write a body, for mail with files: every template rendered whole, every part written by itself."""

import hashlib
from base64 import encodebytes
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from postroom.core.mail.rules.attachments import type_on_the_wire
from postroom.core.mail.rules.compose.filling import make_url
from postroom.core.mail.rules.compose.values import LINK, PIXEL, UNSUBSCRIBE, Filling, FrozenContent
from postroom.core.mail.rules.liquid import parse_template
from postroom.core.mail.types import Attachment
from postroom.kit.mime import clean_text, qp_end
from postroom.kit.types import JSONValue

_TEXT: Final = b"Content-Type: text/%b; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n%b"
_NAME_PIECE: Final = 50


def write_body(frozen: FrozenContent, filling: Filling, attachments: Sequence[Attachment]) -> bytes:
    """Return the Content fields of a message, an empty line, and its body: ASCII, CRLF, no line that begins with a dot.

    Files with a content id belong to the HTML that shows them (RFC 2392); without HTML they are files as all others.
    Raises TemplateRefused.
    """
    names = (UNSUBSCRIBE, PIXEL, *(f"{LINK}{link.index}" for link in frozen.links))
    values: dict[str, JSONValue] = {**filling.slots, **{name: make_url(name, filling) for name in names}}
    seed = f"{frozen.text}\0{frozen.html}\0{filling.track}{filling.unsubscribe}"
    whole = _TEXT % (b"plain", _render(frozen.text, values, escapes=False))
    shown = [one for one in attachments if one.content_id and frozen.html]
    if frozen.html:
        html = _TEXT % (b"html", _render(frozen.html, values, escapes=True))
        if shown:
            html = _join(b"related", [html, *(_write_file(one, "inline") for one in shown)], seed)
        whole = _join(b"alternative", [whole, html], seed)
    files = [one for one in attachments if one not in shown]
    if files:
        whole = _join(b"mixed", [whole, *(_write_file(one, "attachment") for one in files)], seed)
    return whole + b"\r\n"


def _render(source: str, values: dict[str, JSONValue], *, escapes: bool) -> bytes:
    return qp_end(clean_text(parse_template(source, escapes=escapes).render(values)))


def _join(kind: bytes, parts: Sequence[bytes], seed: str) -> bytes:
    """Return a multipart of ``parts``. Neither quoted-printable nor base64 can hold the "=_" of its boundary."""
    digest = hashlib.blake2b(seed.encode(), digest_size=12, person=kind).hexdigest()
    boundary = b"=_" + digest.encode("ascii")
    opening = b'Content-Type: multipart/%b;\r\n boundary="%b"\r\n\r\n' % (kind, boundary)
    body = b"".join(b"--%b\r\n%b\r\n" % (boundary, part) for part in parts)
    return opening + body + b"--" + boundary + b"--"


def _write_file(attachment: Attachment, disposition: str) -> bytes:
    fields = [
        f"Content-Type: {type_on_the_wire(attachment)}",
        "Content-Transfer-Encoding: base64",
        f"Content-Disposition: {disposition};{_say_name(attachment.name)}",
    ]
    if attachment.content_id:
        fields.append(f"Content-ID: <{attachment.content_id}>")
    content = encodebytes(attachment.content).rstrip(b"\n").replace(b"\n", b"\r\n")
    return "\r\n".join((*fields, "", "")).encode("ascii") + content


def _say_name(name: str) -> str:
    """Return the file's name as a parameter: quoted where that can say it, else as RFC 2231 wants, in short pieces."""
    if name.isascii() and len(name) <= _NAME_PIECE and not set(name) & set('"\\'):
        return f'\r\n filename="{name}"'
    text = quote(name, safe="")
    pieces = _cut(text)
    if len(pieces) == 1:
        return f"\r\n filename*=utf-8''{text}"
    return ";".join(f"\r\n filename*{at}*={'' if at else 'utf-8' + 2 * chr(39)}{one}" for at, one in enumerate(pieces))


def _cut(text: str) -> list[str]:
    """Cut percent-encoded text into pieces that end no ``%XX`` half-way."""
    pieces = []
    while text:
        end = _NAME_PIECE
        if len(text) > end and "%" in text[end - 2 : end]:
            end = text.rindex("%", 0, end)
        pieces.append(text[:end])
        text = text[end:]
    return pieces
