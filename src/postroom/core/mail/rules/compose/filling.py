"""Fillers: small functions that make the octets of one gap for one message."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from markupsafe import escape

from postroom.core.mail.rules.compose.values import LINK, PIXEL, UNSUBSCRIBE, Filling
from postroom.core.mail.rules.liquid import Template, parse_template
from postroom.kit.mime import clean_text, qp_piece

Filler = Callable[[Filling], bytes]
Wording = Callable[[Filling], str]

_AS_IT_IS: Final = re.compile(r"(?!\.)[ !#-%(-;?-~]{0,72}")
"""Short ASCII that means the same in HTML, in text and in quoted-printable, and to SMTP at the start of a line."""

_SHORT: Final = 72
_SOFT_BREAK: Final = b"=\r\n"


def word_variable(path: tuple[str, ...], default: str) -> Wording:
    """Return what says ``{{ path | default: "…" }}`` in plain text."""
    template = _one_variable(path, escapes=False)
    first, *rest = path

    def word(filling: Filling) -> str:
        value: object = filling.slots.get(first)
        for name in rest:
            value = value.get(name) if isinstance(value, dict) else None
        if type(value) is str:
            return value or default
        if _is_empty(value):
            return "false" if value is False and not default else default
        return template.render(filling.slots)

    return word


def word_template(template: Template) -> Wording:
    """Return what renders a whole template as plain text."""
    return lambda filling: template.render(filling.slots)


@lru_cache(maxsize=4096)
def fill_variable(path: tuple[str, ...], default: str, escapes: bool) -> Filler:
    """Return the filler of ``{{ path | default: "…" }}``; the default is the author's own, so it is not escaped."""
    fallback = qp_piece(clean_text(default))
    template = _one_variable(path, escapes=escapes)
    first, *rest = path

    def fill(filling: Filling) -> bytes:
        value: object = filling.slots.get(first)
        for name in rest:
            value = value.get(name) if isinstance(value, dict) else None
        if type(value) is str and value:
            if (value.isascii() and value.isalnum() and len(value) <= _SHORT) or _AS_IT_IS.fullmatch(value):
                return value.encode("ascii") + _SOFT_BREAK
            return _encode(value, escapes)
        if _is_empty(value):
            return qp_piece("false") if value is False and not default else fallback
        return qp_piece(clean_text(template.render(filling.slots)))

    return fill


@lru_cache(maxsize=8192)
def _encode(value: str, escapes: bool) -> bytes:
    """Names and places come again and again, and the encoder costs more than all else of a value."""
    return qp_piece(clean_text(escape(value) if escapes else value))


def _one_variable(path: tuple[str, ...], *, escapes: bool) -> Template:
    return parse_template(f"{{{{ {'.'.join(path)} }}}}", escapes=escapes)


def _is_empty(value: object) -> bool:
    """What Liquid's ``default`` replaces; 0 is a value."""
    return value is None or value is False or (not value and isinstance(value, str | list | dict))


@lru_cache(maxsize=4096)
def fill_template(template: Template, urls: tuple[str, ...]) -> Filler:
    """Return the filler of anything else, rendered by the engine; ``urls`` names our own addresses in it."""

    def fill(filling: Filling) -> bytes:
        values = {**filling.slots, **{name: make_url(name, filling) for name in urls}}
        return qp_piece(clean_text(template.render(values)))

    return fill


def make_url(name: str, filling: Filling) -> str:
    """Return the address behind ``link_<n>``, ``unsubscribe_url`` or ``open_pixel_url`` for one message."""
    folder, ending = place_of(name)
    token = filling.unsubscribe if name == UNSUBSCRIBE else filling.track
    return f"{filling.public_url}/{folder}/{token}{ending}"


def place_of(name: str) -> tuple[str, str]:
    """Return where one of our own addresses lies under the public one, and what follows the token there."""
    if name == UNSUBSCRIBE:
        return "u", ""
    return ("o", ".gif") if name == PIXEL else ("c", f"/{int(name.removeprefix(LINK))}")
