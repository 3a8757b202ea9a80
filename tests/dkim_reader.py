"""An independent reader of DKIM signatures: dkimpy, with Ed25519 lent to it by ``cryptography``."""

import base64
import types

import dkim
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class _BadSignature(Exception):
    pass


class _VerifyKey:
    """The one class of PyNaCl that dkimpy verifies with."""

    def __init__(self, encoded: bytes, encoder: object = None) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded))

    def verify(self, message: bytes, signature: bytes) -> bytes:
        try:
            self._key.verify(signature, message)
        except InvalidSignature as error:
            raise _BadSignature from error
        return message


dkim.nacl = types.SimpleNamespace(
    signing=types.SimpleNamespace(VerifyKey=_VerifyKey),
    encoding=types.SimpleNamespace(Base64Encoder=None),
    exceptions=types.SimpleNamespace(BadSignatureError=_BadSignature, ValueError=ValueError),
)


def verify_all(message: bytes, records: dict[str, str]) -> list[bool]:
    """Return for every DKIM-Signature, from the top, whether it holds; ``records`` are the TXT records by name."""

    def look_up(name: bytes, timeout: int = 5) -> bytes | None:
        text = records.get(name.decode("ascii").rstrip("."))
        return text.encode("ascii") if text is not None else None

    count = message.partition(b"\r\n\r\n")[0].lower().count(b"dkim-signature:")
    return [_holds(message, index, look_up) for index in range(count)]


def _holds(message: bytes, index: int, look_up: object) -> bool:
    try:
        return bool(dkim.DKIM(message).verify(index, dnsfunc=look_up))
    except dkim.DKIMException:
        return False
