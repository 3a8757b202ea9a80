"""Tokens for links: a signed payload in URL-safe characters, bound to one purpose, with a 128-bit MAC."""

import base64
from binascii import b2a_base64
from typing import Final

from postroom.kit.crypto import sign, unsign

MAX_LENGTH: Final = 64
"""The longest token: the longest local part RFC 5321 allows, so that a token also fits an address."""

_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


def make_token(purpose: str, payload: bytes) -> str:
    """Return ``payload`` (at most 32 octets) with its signature, as URL-safe text."""
    return to_text(sign(purpose, payload))


def read_token(purpose: str, token: str) -> bytes | None:
    """Return the payload of ``make_token``, None for anything that it did not write."""
    return unsign(purpose, from_text(token))


def to_text(octets: bytes) -> str:
    """Return ``octets`` as URL-safe base64 without padding (RFC 4648, section 5)."""
    return b2a_base64(octets, newline=False).translate(_URL_SAFE).rstrip(b"=").decode("ascii")


def from_text(text: str) -> bytes:
    """Return no octets for anything but the one spelling that ``to_text`` writes, of at most ``MAX_LENGTH``."""
    try:
        octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if len(text) <= MAX_LENGTH else b""
    except ValueError:
        return b""
    return octets if to_text(octets) == text else b""
