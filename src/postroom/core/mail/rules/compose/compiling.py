"""Compiles frozen content once: static octets already encoded, and fillers for what differs per message."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from postroom.core.mail.rules.compose.filling import (
    Filler,
    Wording,
    fill_template,
    fill_variable,
    word_template,
    word_variable,
)
from postroom.core.mail.rules.compose.values import LINK, PIXEL, UNSUBSCRIBE, FrozenContent
from postroom.core.mail.rules.liquid import Kind, Piece, parse_template, scan
from postroom.kit.mime import clean_text, qp_end, qp_piece

_SIMPLE: Final = re.compile(
    r"\s*([a-zA-Z_][\w-]*(?:\.[a-zA-Z_][\w-]*)*)\s*(?:\|\s*default\s*:\s*(\"[^\"]*\"|'[^']*')\s*)?", re.ASCII
)
_URL_NAME: Final = re.compile(rf"{LINK}[0-9]{{1,4}}|{UNSUBSCRIBE}|{PIXEL}")
_WORDS_OF_LIQUID: Final = frozenset(
    ("true", "false", "nil", "null", "empty", "blank", "forloop", "now", "today", "size", "first", "last")
)
_STATEFUL: Final = frozenset(("assign", "capture", "increment", "decrement", "cycle"))
_OPENING: Final = frozenset(("if", "unless", "case", "for", "comment"))
_CLOSING: Final = frozenset(("endif", "endunless", "endcase", "endfor", "endcomment"))


@dataclass(frozen=True, slots=True)
class Address:
    """The gap of one of our own addresses, by its name in templates."""

    name: str


Part = bytes | Address | Filler


@dataclass(frozen=True, slots=True)
class CompiledContent:
    """Octets with gaps: ``parts`` is the body in order. ``is_tracked`` and ``names_way_out`` say which tokens it needs.

    The octets around a gap end a line, and so does whatever fills it: parts can be joined without a look at them, and
    the whole is ASCII whose lines end in CRLF and never begin with a dot.
    """

    frozen: FrozenContent
    subject: tuple[str | Wording, ...]
    content_type: bytes
    parts: tuple[Part, ...]
    is_tracked: bool
    names_way_out: bool


def compile_content(frozen: FrozenContent) -> CompiledContent:
    """Return the compiled form of ``frozen``, to be kept by whoever sends many. Raises TemplateRefused."""
    text = _compile_part(frozen.text, escapes=False)
    content_type, parts = b"Content-Type: text/plain; charset=utf-8\r\n" + _ENCODING, text
    if frozen.html:
        boundary = _boundary(frozen)
        content_type = b'Content-Type: multipart/alternative;\r\n boundary="' + boundary + b'"\r\n\r\n'
        opening = b"--" + boundary + b"\r\nContent-Type: text/%s; charset=utf-8\r\n" + _ENCODING
        between = b"\r\n" + opening % b"html"
        closing = b"\r\n--" + boundary + b"--"
        parts = [opening % b"plain", *text, between, *_compile_part(frozen.html, escapes=True), closing]
    names = set(_URL_NAME.findall(frozen.text + frozen.html))
    return CompiledContent(
        frozen=frozen,
        subject=_compile_subject(frozen.subject),
        content_type=content_type,
        parts=(*parts, b"\r\n"),
        is_tracked=bool(names - {UNSUBSCRIBE}),
        names_way_out=UNSUBSCRIBE in names,
    )


_ENCODING: Final = b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"


def _boundary(frozen: FrozenContent) -> bytes:
    """No quoted-printable text can hold "=_" (RFC 2045, section 6.7), so no body can hold the boundary."""
    digest = hashlib.blake2b(f"{frozen.text}\0{frozen.html}".encode(), digest_size=12).hexdigest()
    return b"=_" + digest.encode("ascii")


def _compile_subject(source: str) -> tuple[str | Wording, ...]:
    """Return words and wordings; anything but plain variables is one wording by the engine."""
    pieces = scan(source)
    parts: list[str | Wording] = []
    for piece in pieces:
        variable = _variable(piece.inner) if piece.kind is Kind.OUTPUT else None
        if piece.kind is not Kind.TEXT and variable is None:
            return (word_template(parse_template(source, escapes=False)),)
        parts.append(word_variable(*variable) if variable else piece.source)
    return tuple(parts)


def _compile_part(source: str, *, escapes: bool) -> list[Part]:
    """Return static octets and fillers. A template that keeps state or trims white space is one filler as a whole."""
    pieces = scan(clean_text(source))
    if any(piece.name in _STATEFUL or _trims(piece) for piece in pieces):
        return [_template_filler(source, escapes=escapes)]
    parts: list[Part] = []
    static = ""
    for kind, text in _top_level(pieces):
        if kind is Kind.TEXT:
            static += text
            continue
        parts += [qp_piece(static)] if static else []
        parts.append(_filler(kind, text, escapes=escapes))
        static = ""
    return [*parts, qp_end(static)]


def _top_level(pieces: Iterable[Piece]) -> Iterable[tuple[Kind, str]]:
    """Yield text, outputs, and whole blocks from their opening to their closing tag."""
    block: list[str] = []
    depth = 0
    for piece in pieces:
        depth += piece.name in _OPENING
        depth -= piece.name in _CLOSING
        if block or depth or piece.kind is Kind.TAG:
            block.append(piece.source)
            if depth <= 0:
                yield Kind.TAG, "".join(block)
                block, depth = [], 0
        elif piece.kind is Kind.RAW:
            yield Kind.TEXT, piece.inner
        else:
            yield piece.kind, piece.inner if piece.kind is Kind.OUTPUT else piece.source
    if block:
        yield Kind.TAG, "".join(block)


def _trims(piece: Piece) -> bool:
    if piece.kind is Kind.RAW:
        return "-%}" in piece.source or "{%-" in piece.source
    return piece.kind is not Kind.TEXT and (piece.inner.startswith("-") or piece.inner.endswith("-"))


def _variable(inner: str) -> tuple[tuple[str, ...], str] | None:
    """Return path and default of a plain variable, or None for whatever needs the engine."""
    simple = _SIMPLE.fullmatch(inner)
    if simple is None or _WORDS_OF_LIQUID.intersection(simple[1].split(".")):
        return None
    return tuple(simple[1].split(".")), (simple[2] or "''")[1:-1]


def _filler(kind: Kind, inner: str, *, escapes: bool) -> Part:
    variable = _variable(inner) if kind is Kind.OUTPUT else None
    if variable is None:
        return _template_filler(inner if kind is Kind.TAG else f"{{{{{inner}}}}}", escapes=escapes)
    path, default = variable
    if len(path) == 1 and _URL_NAME.fullmatch(path[0]):
        return Address(path[0])
    return fill_variable(path, default, escapes)


def _template_filler(source: str, *, escapes: bool) -> Filler:
    return fill_template(parse_template(source, escapes=escapes), tuple(sorted(set(_URL_NAME.findall(source)))))
