"""Cuts a template into text, outputs and tags in one linear pass, and refuses what the parser must never see."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from postroom.core.mail.errors import TemplateRefused

MAX_SOURCE: Final = 512 * 1024
MAX_PIECES: Final = 3_000
MAX_PIECE: Final = 1_000
MAX_RANGE: Final = 1_000

TAGS: Final = frozenset(
    {"if", "elsif", "else", "endif", "unless", "endunless", "case", "when", "endcase", "for", "endfor", "break"}
    | {"continue", "assign", "capture", "endcapture", "comment", "endcomment", "raw", "endraw", "cycle", "increment"}
    | {"decrement", "#"}
)


class Kind(Enum):
    """What a piece of a template is."""

    TEXT = "text"
    OUTPUT = "output"
    TAG = "tag"
    RAW = "raw"


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of the source. ``name`` is a tag's word; ``inner`` stands between the braces (RAW: between the tags)."""

    kind: Kind
    source: str
    start: int
    name: str = ""
    inner: str = ""


_OPEN: Final = re.compile(r"\{\{|\{%")
_NAME: Final = re.compile(r"-?\s*(#|\w+)")
_RAW: Final = re.compile(r"\{%-?\s*raw\s*-?%\}")
_ENDRAW: Final = re.compile(r"\{%-?\s{0,20}endraw\s{0,20}-?%\}")
QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'")
_RANGE: Final = re.compile(r"\(\s*(-?\d{1,9})\s*\.\.\s*(-?\d{1,9})\s*\)")


def scan(source: str) -> tuple[Piece, ...]:
    """Return the pieces of ``source``, which together are ``source``.

    Raises TemplateRefused for what is unclosed, too long, too much, not allowed, or no short plain range.
    """
    if len(source) > MAX_SOURCE:
        raise TemplateRefused(f"The template is longer than {MAX_SOURCE // 1024} KB.")
    pieces: list[Piece] = []
    position = 0
    while match := _OPEN.search(source, position):
        if match.start() > position:
            pieces.append(Piece(Kind.TEXT, source[position : match.start()], position))
        pieces.append(_node(source, match.start()))
        position = match.start() + len(pieces[-1].source)
        if len(pieces) > MAX_PIECES:
            raise TemplateRefused(f"The template has more than {MAX_PIECES} parts.", line=line_of(source, position))
    if position < len(source):
        pieces.append(Piece(Kind.TEXT, source[position:], position))
    return tuple(pieces)


def line_of(source: str, position: int) -> int:
    """Return the line of ``position``, from 1."""
    return source.count("\n", 0, position) + 1


def _node(source: str, start: int) -> Piece:
    closing = "}}" if source.startswith("{{", start) else "%}"
    end = source.find(closing, start + 2, start + MAX_PIECE)
    if end < 0:
        reason = f"{source[start : start + 2]} is not closed by {closing} within {MAX_PIECE} characters."
        raise TemplateRefused(reason, line=line_of(source, start))
    text, inner = source[start : end + 2], source[start + 2 : end]
    if closing == "}}":
        _check_ranges(source, start, inner)
        return Piece(Kind.OUTPUT, text, start, inner=inner)
    if _RAW.fullmatch(text):
        return _raw(source, start, end + 2)
    name = _NAME.match(inner)
    if name is None or name[1] not in TAGS:
        raise TemplateRefused(f"The tag {text[:60]} is not allowed.", line=line_of(source, start))
    _check_ranges(source, start, inner)
    return Piece(Kind.TAG, text, start, name=name[1], inner=inner)


def _raw(source: str, start: int, inner_start: int) -> Piece:
    end = _ENDRAW.search(source, inner_start)
    if end is None:
        raise TemplateRefused("{% raw %} is not closed by {% endraw %}.", line=line_of(source, start))
    return Piece(Kind.RAW, source[start : end.end()], start, name="raw", inner=source[inner_start : end.start()])


def _check_ranges(source: str, start: int, inner: str) -> None:
    """A range is evaluated lazily by whoever meets it, so only short ones with plain ends may exist at all."""
    if ".." not in inner:
        return
    bare = QUOTED.sub("''", inner)
    ranges = _RANGE.findall(bare)
    if ".." in _RANGE.sub("", bare) or any(int(last) - int(first) >= MAX_RANGE for first, last in ranges):
        reason = f"A range needs two whole numbers, at most {MAX_RANGE} apart."
        raise TemplateRefused(reason, line=line_of(source, start))
