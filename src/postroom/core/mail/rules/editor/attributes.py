"""Attributes of nodes and marks, each checked before it gets near a style: what is no colour or size is left out."""

import re
from collections.abc import Mapping
from typing import Final

from postroom.core.mail.errors import BadDocument
from postroom.kit.types import JSONValue

Attributes = Mapping[str, JSONValue]

MAX_URL: Final = 2_000

_COLOUR: Final = re.compile(
    r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})|[a-z]{3,24}"
    r"|(?:rgb|hsl)a?\(\s{0,3}\d{1,3}(?:\.\d{1,4})?%?(?:[\s,/]{1,4}\d{1,3}(?:\.\d{1,4})?%?){2,3}\s{0,3}\)",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"(\d{1,4}(?:\.\d{1,4})?)(?:px)?")
_FAMILY: Final = re.compile(r"[\w \-,'\"]{1,200}", re.ASCII)
_PLACEHOLDER_FIRST: Final = re.compile(r"\{\{[^{}]{1,300}\}\}")
_ALLOWED: Final = re.compile(r"(?:https?://|mailto:|tel:|#)", re.IGNORECASE)
_PICTURE: Final = re.compile(r"https?://", re.IGNORECASE)
_BARE_HOST: Final = re.compile(r"(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}(?:[/?#].*)?", re.IGNORECASE)
_ALIGNMENTS: Final = frozenset(("left", "center", "right", "justify"))


def text_of(attributes: Attributes, *names: str) -> str:
    """Return the first of the named attributes that is a text and not empty."""
    return next((value for name in names if isinstance(value := attributes.get(name), str) and value.strip()), "")


def colour_of(attributes: Attributes, name: str, default: str = "") -> str:
    """Return an attribute that is a colour of CSS, else the default."""
    value = text_of(attributes, name).strip()
    return value if _COLOUR.fullmatch(value) else default


def size_of(
    attributes: Attributes, name: str, default: int, *, most: int, words: Mapping[str, int] | None = None
) -> int:
    """Return an attribute that is a number of pixels, or a word for one, else the default; never more than ``most``."""
    value = attributes.get(name)
    if isinstance(value, str) and words and value in words:
        return words[value]
    found = _NUMBER.fullmatch(str(value).strip()) if isinstance(value, str | int | float) else None
    return min(round(float(found[1])), most) if found and not isinstance(value, bool) else default


def alignment_of(attributes: Attributes, *names: str, default: str = "") -> str:
    """Return which way a block leans."""
    value = text_of(attributes, *names).lower()
    return value if value in _ALIGNMENTS else default


def font_of(attributes: Attributes, name: str) -> str:
    """Return names of typefaces as they stand in a style, in single quotes."""
    value = text_of(attributes, name)
    return value.replace('"', "'") if _FAMILY.fullmatch(value) else ""


def link_of(attributes: Attributes, place: str, *names: str) -> str:
    """Return where a link leads; empty when nowhere. Raises BadDocument for what no message may link to."""
    url = text_of(attributes, *names).strip()
    if not url or _ALLOWED.match(url) or _PLACEHOLDER_FIRST.match(url):
        return _bounded(url, place)
    if _BARE_HOST.fullmatch(url):
        return _bounded(f"https://{url}", place)
    message = f"A link leads to http, https, mailto, tel or a placeholder, not to {url[:80]!r} at {place}."
    raise BadDocument(message)


def picture_of(attributes: Attributes, place: str) -> str:
    """Return where a picture is; empty when none was chosen. Raises BadDocument for what readers cannot load."""
    url = text_of(attributes, "src").strip()
    if url and not _PICTURE.match(url) and not _PLACEHOLDER_FIRST.match(url):
        raise BadDocument(f"A picture needs an http or https address, not {url[:80]!r} at {place}.")
    return _bounded(url, place)


def _bounded(url: str, place: str) -> str:
    if len(url) > MAX_URL:
        raise BadDocument(f"An address is longer than {MAX_URL:,} characters at {place}.")
    return url
