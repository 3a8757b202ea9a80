"""Fillers: small functions that make the octets of one gap for one message."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from markupsafe import escape

from postroom.core.mail.rules.compose.values import LINK, PIXEL, UNSUBSCRIBE, RenderJob
from postroom.core.mail.rules.liquid import Template, parse_template
from postroom.core.mail.rules.tokens import click_token, pixel_token, unsubscribe_token
from postroom.kit.mime import clean_text, qp_piece

Filler = Callable[[RenderJob], bytes]

_AS_IT_IS: Final = re.compile(r"[ !#-%(-;?-~]{0,72}")
"""Short ASCII that means the same in HTML, in text and in quoted-printable."""

_SOFT_BREAK: Final = b"=\r\n"


@lru_cache(maxsize=4096)
def fill_variable(path: tuple[str, ...], default: str, escapes: bool) -> Filler:
    """Return the filler of ``{{ path | default: "…" }}``; the default is the author's own, so it is not escaped."""
    fallback = qp_piece(clean_text(default))
    dotted = ".".join(path)
    template = parse_template(f"{{{{ {dotted} }}}}", escapes=escapes)
    name = path[0] if len(path) == 1 else ""

    def fill(job: RenderJob) -> bytes:
        value = job.slots.get(name) if name else _look_up(job, path)
        if type(value) is str and value:
            if _AS_IT_IS.fullmatch(value):
                return value.encode("ascii") + _SOFT_BREAK
            return qp_piece(clean_text(escape(value) if escapes else value))
        if value is None or value is False or value in ("", [], {}):
            return qp_piece("false") if value is False and not default else fallback
        return qp_piece(clean_text(template.render(job.slots)))

    return fill


def _look_up(job: RenderJob, path: tuple[str, ...]) -> object:
    value: object = job.slots
    for name in path:
        if not hasattr(value, "get"):
            return None
        value = value.get(name)
    return value


@lru_cache(maxsize=4096)
def fill_url(name: str) -> Filler:
    """Return the filler of one of our own addresses; everything but the token is encoded once per public address."""
    folder, suffix = _FOLDERS.get(name, "c"), b".gif" if name == PIXEL else b""
    ending = suffix + _SOFT_BREAK
    make = _token_maker(name)

    def fill(job: RenderJob) -> bytes:
        return _prefix(job.public_url, folder) + make(job).encode("ascii") + ending

    return fill


@lru_cache(maxsize=4096)
def fill_template(template: Template, urls: tuple[str, ...]) -> Filler:
    """Return the filler of anything else, rendered by the engine; ``urls`` names our own addresses in it."""

    def fill(job: RenderJob) -> bytes:
        values = {**job.slots, **{name: make_url(name, job) for name in urls}}
        return qp_piece(clean_text(template.render(values)))

    return fill


def make_url(name: str, job: RenderJob) -> str:
    """Return the address behind ``link_<n>``, ``unsubscribe_url`` or ``open_pixel_url`` for one message."""
    suffix = ".gif" if name == PIXEL else ""
    return f"{job.public_url}/{_FOLDERS.get(name, 'c')}/{_token_maker(name)(job)}{suffix}"


_FOLDERS: Final = {PIXEL: "o", UNSUBSCRIBE: "u"}


def _token_maker(name: str) -> Callable[[RenderJob], str]:
    if name == PIXEL:
        return lambda job: pixel_token(job.message_id)
    if name == UNSUBSCRIBE:
        return lambda job: unsubscribe_token(job.message_id)
    index = int(name.removeprefix(LINK))
    return lambda job: click_token(job.message_id, job.content_id, index)


@lru_cache(maxsize=64)
def _prefix(public_url: str, folder: str) -> bytes:
    return qp_piece(f"{public_url}/{folder}/")
