"""Signed tokens in links and addresses: each names a message, is bound to one purpose, and carries a 128-bit MAC."""

import re
import struct
from dataclasses import dataclass
from typing import Final

from postroom.kit.crypto import sign, unsign
from postroom.kit.tokens import make_token, read_token

_MESSAGE: Final = struct.Struct(">Q")
_CLICK: Final = struct.Struct(">QQH")
_HEX: Final = re.compile(r"[0-9a-f]{48}")

BOUNCE_PREFIX: Final = "bounce-"
REPLY_PREFIX: Final = "reply-"


@dataclass(frozen=True, slots=True)
class MessageToken:
    """A token that names one message of the ledger."""

    message_id: int


@dataclass(frozen=True, slots=True)
class ClickToken:
    """A token that names one link of one message's content."""

    message_id: int
    content_id: int
    link_index: int


def pixel_token(message_id: int) -> str:
    """Return the token in the address of the open pixel: 32 URL-safe characters."""
    return make_token("pixel", _MESSAGE.pack(message_id))


def read_pixel(token: str) -> MessageToken | None:
    """Return what ``pixel_token`` signed, or None."""
    return _message(read_token("pixel", token))


def click_token(message_id: int, content_id: int, link_index: int) -> str:
    """Return the token of link number ``link_index`` (from 0, at most 65,535): 46 URL-safe characters."""
    return make_token("click", _CLICK.pack(message_id, content_id, link_index))


def read_click(token: str) -> ClickToken | None:
    """Return what ``click_token`` signed, or None."""
    payload = read_token("click", token)
    return ClickToken(*_CLICK.unpack(payload)) if payload is not None and len(payload) == _CLICK.size else None


def unsubscribe_token(message_id: int) -> str:
    """Return the token of the unsubscribe link (RFC 8058): 32 URL-safe characters."""
    return make_token("unsubscribe", _MESSAGE.pack(message_id))


def read_unsubscribe(token: str) -> MessageToken | None:
    """Return what ``unsubscribe_token`` signed, or None."""
    return _message(read_token("unsubscribe", token))


def bounce_local_part(message_id: int) -> str:
    """Return the local part of the return path (VERP): 55 characters that survive a change of case."""
    return BOUNCE_PREFIX + sign("bounce", _MESSAGE.pack(message_id)).hex()


def read_bounce(local_part: str) -> MessageToken | None:
    """Return the message whose return path this is, or None. Case does not matter."""
    return _from_local_part("bounce", BOUNCE_PREFIX, local_part)


def reply_local_part(message_id: int) -> str:
    """Return the local part of the address that replies to a message go to: 54 characters."""
    return REPLY_PREFIX + sign("reply", _MESSAGE.pack(message_id)).hex()


def read_reply(local_part: str) -> MessageToken | None:
    """Return the message that was replied to, or None. Case does not matter."""
    return _from_local_part("reply", REPLY_PREFIX, local_part)


def message_id_header(message_id: int, domain: str) -> str:
    """Return the Message-ID (RFC 5322, section 3.6.4) of a message: the same at every try, and signed, so that a report
    which shows nothing else still names the message.
    """
    return f"<{sign('message-id', _MESSAGE.pack(message_id)).hex()}@{domain}>"


def read_message_id(value: str) -> MessageToken | None:
    """Return the message whose Message-ID this is, whatever its domain, or None."""
    local_part, at, _ = value.strip().strip("<>").partition("@")
    return _from_local_part("message-id", "", local_part) if at else None


def _message(payload: bytes | None) -> MessageToken | None:
    return MessageToken(*_MESSAGE.unpack(payload)) if payload is not None and len(payload) == _MESSAGE.size else None


def _from_local_part(purpose: str, prefix: str, local_part: str) -> MessageToken | None:
    text = local_part.lower()
    return _message(unsign(purpose, bytes.fromhex(text[len(prefix) :]))) if _is_ours(text, prefix) else None


def _is_ours(text: str, prefix: str) -> bool:
    return text.startswith(prefix) and _HEX.fullmatch(text, len(prefix)) is not None
