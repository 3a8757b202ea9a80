"""The tokens in links to a person's own pages: each is for one person and one purpose, and none can be guessed."""

import struct
from datetime import UTC, datetime, timedelta
from typing import Final

from postroom.core.contacts.types import ConfirmLink, ReaderLink
from postroom.kit.tokens import make_token, read_token

CONFIRM_FOR: Final = timedelta(days=7)
"""How long a confirmation link is good."""

AGAIN_AFTER: Final = timedelta(minutes=10)
"""How long nobody has a confirmation sent again."""

_READER: Final = struct.Struct(">QQ")
_CONFIRM: Final = struct.Struct(">QQI")


def preference_token(workspace_id: int, contact_id: int) -> str:
    """Return the token of a person's preference centre: 43 URL-safe characters, good for as long as the person is."""
    return make_token("preferences", _READER.pack(workspace_id, contact_id))


def read_preference_token(token: str) -> ReaderLink | None:
    """Return what ``preference_token`` signed, or None."""
    payload = read_token("preferences", token)
    return ReaderLink(*_READER.unpack(payload)) if payload is not None and len(payload) == _READER.size else None


def confirm_token(link: ConfirmLink) -> str:
    """Return the token that confirms a place on a list: 48 URL-safe characters, good for ``CONFIRM_FOR``."""
    return make_token("confirm", _CONFIRM.pack(link.list_id, link.contact_id, int(link.sent_at.timestamp())))


def read_confirm_token(token: str) -> ConfirmLink | None:
    """Return what ``confirm_token`` signed, expired or not, or None."""
    payload = read_token("confirm", token)
    if payload is None or len(payload) != _CONFIRM.size:
        return None
    list_id, contact_id, sent_at = _CONFIRM.unpack(payload)
    return ConfirmLink(list_id, contact_id, datetime.fromtimestamp(sent_at, UTC))


def is_expired(link: ConfirmLink, *, now: datetime) -> bool:
    """Whether a confirmation link is too old to be used."""
    return now >= link.sent_at + CONFIRM_FOR
