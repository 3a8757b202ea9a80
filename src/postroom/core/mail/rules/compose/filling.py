"""Fillers: small functions that make the octets of one gap for one message."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from markupsafe import escape

from postroom.core.mail.rules.compose.values import LINK, PIXEL, UNSUBSCRIBE, RenderJob
from postroom.core.mail.rules.liquid import Template, parse_template
from postroom.core.mail.rules.tokens import click_path, track_token, unsubscribe_token
from postroom.kit.mime import clean_text, qp_piece

Filler = Callable[[RenderJob], bytes]
Wording = Callable[[RenderJob], str]

_AS_IT_IS: Final = re.compile(r"[ !#-%(-;?-~]{0,72}")
"""Short ASCII that means the same in HTML, in text and in quoted-printable."""

_SOFT_BREAK: Final = b"=\r\n"


def word_variable(path: tuple[str, ...], default: str) -> Wording:
    """Return what says ``{{ path | default: "…" }}`` in plain text."""
    template = _one_variable(path, escapes=False)

    def word(job: RenderJob) -> str:
        value = _look_up(job, path)
        if type(value) is str:
            return value or default
        if _is_empty(value):
            return "false" if value is False and not default else default
        return template.render(job.slots)

    return word


def word_template(template: Template) -> Wording:
    """Return what renders a whole template as plain text."""
    return lambda job: template.render(job.slots)


@lru_cache(maxsize=4096)
def fill_variable(path: tuple[str, ...], default: str, escapes: bool) -> Filler:
    """Return the filler of ``{{ path | default: "…" }}``; the default is the author's own, so it is not escaped."""
    fallback = qp_piece(clean_text(default))
    template = _one_variable(path, escapes=escapes)

    def fill(job: RenderJob) -> bytes:
        value = _look_up(job, path)
        if type(value) is str and value:
            if _AS_IT_IS.fullmatch(value):
                return value.encode("ascii") + _SOFT_BREAK
            return qp_piece(clean_text(escape(value) if escapes else value))
        if _is_empty(value):
            return qp_piece("false") if value is False and not default else fallback
        return qp_piece(clean_text(template.render(job.slots)))

    return fill


def _one_variable(path: tuple[str, ...], *, escapes: bool) -> Template:
    return parse_template(f"{{{{ {'.'.join(path)} }}}}", escapes=escapes)


def _is_empty(value: object) -> bool:
    """What Liquid's ``default`` replaces; 0 is a value."""
    return value is None or value is False or (not value and isinstance(value, str | list | dict))


def _look_up(job: RenderJob, path: tuple[str, ...]) -> object:
    value: object = job.slots.get(path[0])
    for name in path[1:]:
        value = value.get(name) if isinstance(value, Mapping) else None
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
        return lambda job: track_token(job.message_id, job.content_id)
    if name == UNSUBSCRIBE:
        return lambda job: unsubscribe_token(job.message_id)
    index = int(name.removeprefix(LINK))
    return lambda job: click_path(job.message_id, job.content_id, index)


@lru_cache(maxsize=64)
def _prefix(public_url: str, folder: str) -> bytes:
    return qp_piece(f"{public_url}/{folder}/")
