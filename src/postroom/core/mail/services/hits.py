"""Storing events as they come in, before anything is made of them: one COPY, whoever's connection it runs on."""

import json
from collections.abc import Sequence
from typing import Final

from postroom.core.mail.types import NOTIFY_HITS, Hit
from postroom.kit.copy import copy_cell, copy_octets, copy_statement
from postroom.kit.notify import notify

_TABLE: Final = "mail_storedhit"
_COLUMNS: Final = ("key", "type", "message_id", "at", "link_index", "agent", "ip", "is_bot", "data", "attempts")

# Half of what an INSERT of the same rows costs the server, and no more for a lone one.
COPY_HITS: Final = copy_statement(_TABLE, _COLUMNS)
"""Takes lines of ``hit_line``, with line ends between them."""


def store_hits(*, hits: Sequence[Hit]) -> None:
    """Store ``hits`` in the caller's transaction; ``apply_hits`` makes facts of them later."""
    if hits:
        copy_octets(COPY_HITS, b"\n".join(hit_line(hit) for hit in hits))
        notify(NOTIFY_HITS)


def hit_line(hit: Hit) -> bytes:
    """Return a hit as a line for ``COPY_HITS``, without its end: every value in a form that the database is sure to
    take, because one that it refused would cost all the others of the same commit.
    """
    link_index = "\\N" if hit.link_index is None else hit.link_index
    return (
        f"{_cell(hit.key[:200])}\t{hit.type.value}\t{hit.message_id}\t{hit.at.isoformat()}\t{link_index}\t"
        f"{_cell(hit.agent[:500])}\t{_cell(hit.ip[:45])}\t{'t' if hit.is_bot else 'f'}\t{_data(hit)}\t0"
    ).encode()


def _data(hit: Hit) -> str:
    if not hit.data:
        return "{}"
    said = {name: _storable(value) if isinstance(value, str) else value for name, value in hit.data.items()}
    return copy_cell(json.dumps(said))


def _cell(text: str) -> str:
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return copy_cell(_storable(text))


def _storable(text: str) -> str:
    """PostgreSQL keeps neither NUL nor half of a surrogate pair."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
