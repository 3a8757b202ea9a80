"""An independent reader of mail: octets against RFC 5322, 2045, 2046, 2047 and 6532, with nothing of the product in it.

Every breach raises AssertionError with what is wrong and where.
"""

import base64
import quopri
import re
from dataclasses import dataclass

_FIELD = re.compile(rb"([!-9;-~]+):(.*)", re.DOTALL)
_WORD = re.compile(rb"=\?([A-Za-z0-9-]+)\?([bBqQ])\?([!->@-~]*)\?=")
_ONCE = ("from", "date", "message-id", "subject", "mime-version", "content-type")
_AT_MOST_ONCE = ("to", "cc", "reply-to", "sender", "list-unsubscribe", "list-unsubscribe-post", "in-reply-to")
_DATE = re.compile(
    rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} "
    rb"[0-2][0-9]:[0-5][0-9]:[0-6][0-9] [+-][0-9]{4}"
)
_MESSAGE_ID = re.compile(rb"<[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+>")
_BOUNDARY = re.compile(rb'boundary="([^"]{1,70})"')


@dataclass(frozen=True, slots=True)
class Part:
    """One part that has no parts of its own: its fields, by lower-case name and unfolded, and its decoded content."""

    fields: dict[str, bytes]
    content: bytes

    @property
    def kind(self) -> str:
        """The type without its parameters."""
        return self.fields["content-type"].partition(b";")[0].strip().decode("ascii")


@dataclass(frozen=True, slots=True)
class Mail:
    """A whole message: unfolded fields in order, and its parts in order."""

    fields: tuple[tuple[str, bytes], ...]
    parts: tuple[Part, ...]

    def value(self, name: str) -> bytes:
        """Return the one value of a field."""
        (found,) = [value for field, value in self.fields if field.lower() == name.lower()]
        return found

    def text(self, name: str) -> str:
        """Return a field as a person reads it."""
        return decode_words(self.value(name))

    def part(self, kind: str) -> str:
        """Return the text of the one part of a kind."""
        (found,) = [part for part in self.parts if part.kind == kind]
        return found.content.decode("utf-8").replace("\r\n", "\n")


def read_mail(raw: bytes, *, is_utf8: bool = False) -> Mail:
    """Check a message's octets and return what they say; ``is_utf8`` allows UTF-8 in its header (RFC 6532)."""
    _check_lines(raw)
    header, end, body = raw.partition(b"\r\n\r\n")
    assert end, "no empty line after the header"
    fields = _read_header(header, is_utf8=is_utf8)
    names = [name.lower() for name, _ in fields]
    assert all(names.count(name) == 1 for name in _ONCE), f"not exactly one of each: {names}"
    assert all(names.count(name) <= 1 for name in _AT_MOST_ONCE), f"more than one: {names}"
    values = {name.lower(): value for name, value in fields}
    assert _DATE.fullmatch(values["date"].strip()), values["date"]
    assert _MESSAGE_ID.fullmatch(values["message-id"].strip()), values["message-id"]
    assert values["mime-version"].strip() == b"1.0"
    assert body.isascii(), "a body beyond ASCII"
    return Mail(tuple(fields), tuple(_read_parts(values, body)))


def _check_lines(raw: bytes) -> None:
    assert raw.endswith(b"\r\n"), "the last line does not end"
    bare = raw.replace(b"\r\n", b"")
    assert b"\r" not in bare, "a CR on its own"
    assert b"\n" not in bare, "an LF on its own"
    assert b"\0" not in bare, "a NUL"
    for line in raw.split(b"\r\n"):
        assert len(line) <= 998, f"a line of {len(line)} octets"


def _read_header(header: bytes, *, is_utf8: bool) -> list[tuple[str, bytes]]:
    fields: list[tuple[str, bytes]] = []
    for line in header.split(b"\r\n"):
        if b"=?" in line:
            assert len(line) <= 76, f"a line with an encoded word has {len(line)} octets"
        if line[:1] in (b" ", b"\t"):
            assert line.strip(), "a folded line of nothing but blanks"
            name, value = fields.pop()
            fields.append((name, value + line))
            continue
        match = _FIELD.fullmatch(line)
        assert match, f"no field: {line[:80]!r}"
        assert is_utf8 or line.isascii(), f"a field beyond ASCII: {line[:80]!r}"
        assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", line), f"a control character: {line[:80]!r}"
        fields.append((match[1].decode("ascii"), match[2].strip()))
    return fields


def decode_words(value: bytes) -> str:
    """Return an unstructured value or a phrase decoded as RFC 2047 says; blanks between two encoded words go."""
    joined = re.sub(rb"(\?=)[ \t]+(?==\?)", rb"\1", value)
    return _WORD.sub(_decode_word, joined).decode("utf-8")


def _decode_word(match: "re.Match[bytes]") -> bytes:
    assert len(match[0]) <= 75, f"an encoded word of {len(match[0])} octets"
    assert match[1].lower() == b"utf-8"
    octets = base64.b64decode(match[3], validate=True) if match[2] in b"bB" else quopri.decodestring(match[3], True)
    octets.decode("utf-8")  # a word never ends inside a character (section 5)
    return octets


def _read_parts(values: dict[str, bytes], body: bytes) -> list[Part]:
    kind = values["content-type"]
    if kind.startswith(b"multipart/"):
        match = _BOUNDARY.search(kind)
        assert match, "a multipart without a boundary"
        assert values.get("content-transfer-encoding", b"7bit") in (b"7bit", b"8bit")
        return _read_multipart(match[1], body)
    return [Part(values, _decode(values.get("content-transfer-encoding", b"7bit").lower(), body))]


def _read_multipart(boundary: bytes, body: bytes) -> list[Part]:
    preamble, *pieces = (b"\r\n" + body).split(b"\r\n--" + boundary)
    assert not preamble.strip(), "a preamble"
    *inner, epilogue = pieces
    assert epilogue == b"--\r\n" or epilogue.startswith(b"--"), "the last boundary is missing"
    assert inner, "a multipart without parts"
    parts: list[Part] = []
    for piece in inner:
        assert piece.startswith(b"\r\n"), "something after a boundary"
        header, end, content = piece[2:].partition(b"\r\n\r\n")
        assert end, "a part without an end to its header"
        values = {name.lower(): value for name, value in _read_header(header, is_utf8=False)}
        parts += _read_parts(values, content)
    return parts


def _decode(encoding: bytes, body: bytes) -> bytes:
    for line in body.split(b"\r\n"):
        assert encoding == b"7bit" or len(line) <= 76, f"an encoded line of {len(line)} octets"
    if encoding == b"quoted-printable":
        assert not re.search(rb"=(?![0-9A-F]{2}|\r\n)", body), "an equals sign that encodes nothing"
        assert not re.search(rb"[ \t]\r\n", body), "a blank at the end of a line"
        return quopri.decodestring(body)
    if encoding == b"base64":
        return base64.b64decode(body.replace(b"\r\n", b""), validate=True)
    assert encoding == b"7bit", encoding
    return body
