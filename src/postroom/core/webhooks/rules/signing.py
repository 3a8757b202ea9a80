"""Signatures as Standard Webhooks describes them (standardwebhooks.com, version 1), and the secrets they are made with.

A secret that we make is ``whsec_`` and 64 hexadecimal digits, which are good base64 as well: one secret serves dialects
that sign with its text and Standard Webhooks, which signs with what it decodes to.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"
SHORTEST: Final = 16
LONGEST: Final = 256


def make_secret() -> str:
    """Return a fresh secret of 256 bits."""
    return PREFIX + secrets.token_hex(32)


def key_of(secret: str) -> bytes:
    """Return the octets that a secret stands for: what is behind its prefix, decoded from base64 with or without
    padding. A secret of one's own that is no base64 is taken as it is.
    """
    text = secret.removeprefix(PREFIX)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True) or secret.encode()
    except (binascii.Error, ValueError):
        return secret.encode()


def sign(secret: str, call_id: str, at: datetime, body: bytes) -> str:
    """Return one signature over id, time (Unix seconds) and body."""
    signed = f"{call_id}.{int(at.timestamp())}.".encode() + body
    mac = hmac.new(key_of(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(mac).decode()}"


def standard_headers(secrets: Iterable[str], call_id: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """Return the headers of a call, with a signature for each secret that holds now."""
    return {
        "webhook-id": call_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(sign(one, call_id, at, body) for one in secrets),
    }
