"""Octets of mail: quoted-printable in pieces that can be joined, header fields with encoded-words, clean text."""

import base64
import re
from binascii import b2a_qp
from typing import Final

_WORD_OVERHEAD: Final = len("=?utf-8?b??=")
_LINE: Final = 76  # RFC 2047, section 2: a line with encoded-words has at most 76 characters
_MIN_WORD: Final = 24
_PLAIN: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LINE_ENDS: Final = re.compile(r"\r\n?|\n")
_LEADING_DOT: Final = re.compile(rb"^\.(?=.{0,73}$)", re.MULTILINE)
"""A dot that SMTP would have to double, where the line has room for ``=2E``."""
_CROWDED_DOT: Final = re.compile(rb"^\.(?=.{74,75}$)", re.MULTILINE)
"""The same where the line has no room: it is broken behind the dot."""
_OVERLONG: Final = re.compile(rb"^(.{74,75})(=[0-9A-F]{2})$", re.MULTILINE)
"""A line that the standard library made longer than 76, because of the white space it had to encode at its end."""
_BREAKS: Final = re.compile(r"[\r\n\t]+")


def clean_text(text: str) -> str:
    """Return ``text`` with every line end as LF and without NUL, other controls and lone surrogates."""
    return _CONTROLS.sub("", _LINE_ENDS.sub("\n", text))


def clean_line(text: str) -> str:
    """Return ``text`` on one line, without controls, line ends as spaces, outer white space gone."""
    return _CONTROLS.sub("", _BREAKS.sub(" ", text)).strip()


def qp_end(text: str) -> bytes:
    """Return clean ``text`` as quoted-printable (RFC 2045, section 6.7) with CRLF, for the end of a part. No line of it
    begins with a dot, so SMTP has nothing to double.
    """
    encoded = _OVERLONG.sub(rb"\1=\n\2", b2a_qp(text.encode(), istext=True))
    while _CROWDED_DOT.search(encoded):
        encoded = _CROWDED_DOT.sub(b"=2E=\n", encoded)
    return _LEADING_DOT.sub(b"=2E", encoded).replace(b"\n", b"\r\n")


def qp_piece(text: str) -> bytes:
    """Return clean ``text`` as quoted-printable that ends at the start of a line, by a soft break where it must, so
    that any two pieces may follow each other and no line grows past 76 octets.
    """
    if not text:
        return b""
    # One more character makes the encoder leave room for the "=" and keeps it from treating the text's end as a line's.
    encoded = qp_end(text + "x")[:-1]
    return encoded if encoded.endswith(b"\r\n") else encoded + b"=\r\n"


def header_field(name: str, value: str) -> bytes:
    """Return the field ``name`` with unstructured text, CRLF included: as it is where plain ASCII fits one line, folded
    at spaces where it does not, else in encoded-words (RFC 2047) of at most 75 characters that never split a character.
    """
    prefix = f"{name}: "
    if _is_plain(value):
        if len(prefix) + len(value) <= _LINE:
            return f"{prefix}{value}\r\n".encode("ascii")
        if "  " not in value and max(map(len, value.split(" "))) < _LINE - len(prefix):
            return _folded(prefix, value)
    return f"{prefix}{encoded_words(value, len(prefix))}\r\n".encode("ascii")


def encoded_words(text: str, used: int = 0) -> str:
    """Return ``text`` in encoded-words, folded; ``used`` columns of the first line are taken already."""
    words, room = [], _LINE - used
    if room < _MIN_WORD:
        words, room = [""], _LINE - 1
    rest = text.encode("utf-8", "replace")
    while rest:
        size = _whole_characters(rest, (room - _WORD_OVERHEAD) // 4 * 3)
        words.append(f"=?utf-8?b?{base64.b64encode(rest[:size]).decode('ascii')}?=")
        rest, room = rest[size:], _LINE - 1
    return "\r\n ".join(words)


def _whole_characters(octets: bytes, size: int) -> int:
    """Return the greatest cut at or before ``size`` that does not fall inside a UTF-8 sequence."""
    if size >= len(octets):
        return len(octets)
    while octets[size] & 0xC0 == 0x80:
        size -= 1
    return size


def _is_plain(value: str) -> bool:
    return (not value or _PLAIN.fullmatch(value) is not None) and "=?" not in value


def _folded(prefix: str, value: str) -> bytes:
    lines, line = [], prefix + value[: value.find(" ")]
    for word in value.split(" ")[1:]:
        if len(line) + 1 + len(word) > _LINE:
            lines.append(line)
            line = ""
        line = f"{line} {word}"
    return "\r\n".join([*lines, line, ""]).encode("ascii")
