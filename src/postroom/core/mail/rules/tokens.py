"""Signed tokens in links and addresses: each names a message, is bound to one purpose, and carries a 128-bit MAC.

Everything that names a message by its number alone is signed by slices of one keyed hash of it (see ``Seal``). Links
name the content too and share one token, whatever their number in it is.
"""

import re
import struct
from dataclasses import dataclass
from typing import Final

from postroom.kit.crypto import MAC_SIZE, keyed_hash, keyed_hashes, matches, unsign
from postroom.kit.tokens import from_text, make_token, read_token, to_text

_MESSAGE: Final = struct.Struct(">Q")
_TRACK: Final = struct.Struct(">QQ")
_CLICK: Final = struct.Struct(">QQH")
_HEX: Final = re.compile(r"[0-9a-f]{48}")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,4}")

BOUNCE_PREFIX: Final = "bounce-"
REPLY_PREFIX: Final = "reply-"

_PURPOSES: Final = ("unsubscribe", "bounce", "reply", "message-id")
"""Whose signature stands where in a seal. The order is a promise to all mail that was ever delivered."""
_SEAL_SIZE: Final = MAC_SIZE * len(_PURPOSES)
_UNSUBSCRIBE, _BOUNCE, _REPLY, _MESSAGE_ID = (slice(MAC_SIZE * at, MAC_SIZE * (at + 1)) for at in range(len(_PURPOSES)))


@dataclass(frozen=True, slots=True)
class MessageToken:
    """A token that names one message of the ledger."""

    message_id: int


@dataclass(frozen=True, slots=True)
class TrackToken:
    """A token that names one message and what it was made of."""

    message_id: int
    content_id: int


@dataclass(frozen=True, slots=True)
class ClickToken:
    """What the path of a link names: one link of one message's content."""

    message_id: int
    content_id: int
    link_index: int


class Seal:
    """What names one message to the world, all of it from one keyed BLAKE2b of its number.

    The hash has as many octets as all signatures together; no slice of it says anything about another (RFC 7693).
    """

    __slots__ = ("_macs", "_number", "message_id")

    def __init__(self, message_id: int) -> None:
        self.message_id = message_id
        self._number = _MESSAGE.pack(message_id)
        self._macs = keyed_hash("message", self._number, _SEAL_SIZE)

    def unsubscribe_token(self) -> str:
        """Return the token of the unsubscribe link (RFC 8058): 32 URL-safe characters."""
        return to_text(self._number + self._macs[_UNSUBSCRIBE])

    def bounce_local_part(self) -> str:
        """Return the local part of the return path (VERP): 55 characters that survive a change of case."""
        return BOUNCE_PREFIX + (self._number + self._macs[_BOUNCE]).hex()

    def reply_local_part(self) -> str:
        """Return the local part of the address that replies to the message go to: 54 characters."""
        return REPLY_PREFIX + (self._number + self._macs[_REPLY]).hex()

    def message_id_header(self, domain: str) -> str:
        """Return the Message-ID (RFC 5322, section 3.6.4): the same at every try, and signed, so that a report which
        shows nothing else still names the message.
        """
        return f"<{(self._number + self._macs[_MESSAGE_ID]).hex()}@{domain}>"


def track_token(message_id: int, content_id: int) -> str:
    """Return the token of a message's links and of its open pixel: 43 URL-safe characters."""
    return make_token("track", _TRACK.pack(message_id, content_id))


def read_track(token: str) -> TrackToken | None:
    """Return what ``track_token`` signed, or None."""
    payload = read_token("track", token)
    return TrackToken(*_TRACK.unpack(payload)) if payload is not None and len(payload) == _TRACK.size else None


def click_path(message_id: int, content_id: int, link_index: int) -> str:
    """Return what follows ``/c/`` in link number ``link_index`` (from 0, below 100,000): the token and the number."""
    return f"{track_token(message_id, content_id)}/{link_index}"


def read_click(path: str) -> ClickToken | None:
    """Return what ``click_path`` says, or None. The number is not signed: any link of the content is as good.

    Links of mail from before that are one token, with the number in it.
    """
    token, has_index, index = path.partition("/")
    if not has_index:
        payload = read_token("click", token)
        return ClickToken(*_CLICK.unpack(payload)) if payload is not None and len(payload) == _CLICK.size else None
    track = read_track(token) if _INDEX.fullmatch(index) else None
    return ClickToken(track.message_id, track.content_id, int(index)) if track is not None else None


def unsubscribe_token(message_id: int) -> str:
    """Return ``Seal.unsubscribe_token`` of a message."""
    return Seal(message_id).unsubscribe_token()


def read_unsubscribe(token: str) -> MessageToken | None:
    """Return what ``unsubscribe_token`` signed, or None."""
    return _unseal(_UNSUBSCRIBE, from_text(token))


def bounce_local_part(message_id: int) -> str:
    """Return ``Seal.bounce_local_part`` of a message."""
    return Seal(message_id).bounce_local_part()


def read_bounce(local_part: str) -> MessageToken | None:
    """Return the message whose return path this is, or None. Case does not matter."""
    return _from_local_part(_BOUNCE, BOUNCE_PREFIX, local_part)


def reply_local_part(message_id: int) -> str:
    """Return ``Seal.reply_local_part`` of a message."""
    return Seal(message_id).reply_local_part()


def read_reply(local_part: str) -> MessageToken | None:
    """Return the message that was replied to, or None. Case does not matter."""
    return _from_local_part(_REPLY, REPLY_PREFIX, local_part)


def message_id_header(message_id: int, domain: str) -> str:
    """Return ``Seal.message_id_header`` of a message."""
    return Seal(message_id).message_id_header(domain)


def read_message_id(value: str) -> MessageToken | None:
    """Return the message whose Message-ID this is, whatever its domain, or None."""
    local_part, at, _ = value.strip().strip("<>").partition("@")
    return _from_local_part(_MESSAGE_ID, "", local_part) if at else None


def _unseal(place: slice, signed: bytes) -> MessageToken | None:
    """Return the message that a number and the signature from ``place`` in its seal name, or None.

    Before there were seals each purpose had a signature of its own, and that mail can still be left, and comes back.
    """
    number, mac = signed[: _MESSAGE.size], signed[_MESSAGE.size :]
    if len(mac) != MAC_SIZE:
        return None
    is_ours = matches(mac, (seal[place] for seal in keyed_hashes("message", number, _SEAL_SIZE)))
    is_ours = is_ours or unsign(_PURPOSES[place.start // MAC_SIZE], signed) is not None
    return MessageToken(*_MESSAGE.unpack(number)) if is_ours else None


def _from_local_part(place: slice, prefix: str, local_part: str) -> MessageToken | None:
    text = local_part.lower()
    is_ours = text.startswith(prefix) and _HEX.fullmatch(text, len(prefix)) is not None
    return _unseal(place, bytes.fromhex(text[len(prefix) :])) if is_ours else None
