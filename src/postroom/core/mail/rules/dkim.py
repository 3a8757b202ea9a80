"""DKIM signatures (RFC 6376, RFC 8463): relaxed/relaxed, RSA-2048 and Ed25519, with From signed twice."""

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

RSA_BITS: Final = 2048

SIGNED: Final = (
    *("from", "to", "cc", "subject", "date", "message-id", "reply-to", "in-reply-to", "references"),
    *("list-unsubscribe", "list-unsubscribe-post", "mime-version", "content-type", "content-transfer-encoding"),
)
"""Fields that are signed where present (RFC 6376, section 5.4.1)."""

OVERSIGNED: Final = frozenset(("from", "to", "subject", "date", "message-id", "reply-to"))
"""Fields named once more than they occur, so that a second one breaks the signature (RFC 6376, section 8.15)."""

_SIGNED_NAMES: Final = tuple(
    (name.encode("ascii"), (name.encode("ascii"),) if name in OVERSIGNED else ()) for name in SIGNED
)
"""Each signed name with what ``h=`` says of it once more."""

_FIELD: Final = re.compile(rb"([!-9;-~]+):([^\r]*(?:\r(?:\n[ \t]|(?!\n))[^\r]*)*)\r\n")
_BLANKS: Final = re.compile(rb"[ \t]+")
_LINE: Final = 72


@dataclass(frozen=True, slots=True)
class Keys:
    """The two keys of a sending domain: private halves as PKCS#8 PEM, public ones as the ``p=`` of a DNS record."""

    rsa_private: str
    rsa_public: str
    ed25519_private: str
    ed25519_public: str


def generate_keys() -> Keys:
    """Return fresh keys: RSA of 2048 bits (RFC 8301) and Ed25519."""
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    rsa_public = rsa_key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    ed_key = ed25519.Ed25519PrivateKey.generate()
    ed_public = ed_key.public_key().public_bytes_raw()
    return Keys(_pem(rsa_key), _base64(rsa_public), _pem(ed_key), _base64(ed_public))


def dns_record(public: str) -> str:
    """Return the TXT record of ``<selector>._domainkey`` for a public key as ``generate_keys`` wrote it."""
    is_ed25519 = len(base64.b64decode(public)) == 32
    return f"v=DKIM1; k={'ed25519' if is_ed25519 else 'rsa'}; p={public}"


class Signer:
    """Signs messages of one domain, with each key it is given; the header and the body are read once for both.

    Both keys share the selector's stem: Ed25519 signs as ``<selector>-ed``, since a DNS name holds one key.
    """

    def __init__(self, domain: str, selector: str, rsa_pem: str = "", ed_pem: str = "") -> None:
        self._keys: list[tuple[bytes, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey]] = []
        for algorithm, suffix, pem in (("rsa", "", rsa_pem), ("ed25519", "-ed", ed_pem)):
            if pem:
                start = f"v=1; a={algorithm}-sha256; c=relaxed/relaxed; d={domain};\r\n s={selector}{suffix}; h="
                self._keys.append((start.encode("ascii"), _load(pem)))

    def sign(self, message: bytes) -> bytes:
        """Return the DKIM-Signature fields to put before ``message``, CRLF included; nothing without a key."""
        if not self._keys:
            return b""
        header, _, body = message.partition(b"\r\n\r\n")
        names, canonical = _signed_fields(header + b"\r\n")
        body_hash = base64.b64encode(hashlib.sha256(canonical_body(body)).digest())
        tail = _fold_names(tuple(names)) + b";\r\n bh=" + body_hash + b";\r\n b="
        return b"".join(_sign(key, start + tail, canonical) for start, key in self._keys)


def canonical_body(body: bytes) -> bytes:
    """Return the body in relaxed form (RFC 6376, section 3.4.4)."""
    body = body.replace(b"\t", b" ")
    while b"  " in body:
        body = body.replace(b"  ", b" ")
    end = len(body := body.replace(b" \r\n", b"\r\n"))
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    return body[:end] + b"\r\n" if end else b""


def _sign(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey, value: bytes, canonical: bytes) -> bytes:
    """Sign the fields and, last and without a line end, the signature's own field (RFC 6376, section 3.7)."""
    signed = canonical + b"dkim-signature:" + _relaxed(value)
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    else:
        signature = key.sign(hashlib.sha256(signed).digest())
    encoded = base64.b64encode(signature)
    lines = (encoded[start : start + _LINE] for start in range(0, len(encoded), _LINE))
    return b"DKIM-Signature: " + value + b"\r\n ".join(lines) + b"\r\n"


def _signed_fields(header: bytes) -> tuple[list[bytes], bytes]:
    """Return the names for ``h=`` and the fields they stand for in relaxed form; the last of a name counts first."""
    fields: dict[bytes, list[bytes]] = {}
    for name, value in _FIELD.findall(header):
        fields.setdefault(name.lower(), []).append(value)
    names: list[bytes] = []
    canonical: list[bytes] = []
    for name, spare in _SIGNED_NAMES:
        if (values := fields.get(name)) is not None:
            names += [name] * len(values)
            canonical += [name + b":" + _relaxed(value) + b"\r\n" for value in reversed(values)]
        names += spare
    return names, b"".join(canonical)


def _relaxed(value: bytes) -> bytes:
    return _BLANKS.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")


@lru_cache(maxsize=64)
def _fold_names(names: tuple[bytes, ...]) -> bytes:
    lines, line = [], b""
    for name in names:
        if line and len(line) + len(name) > _LINE:
            lines.append(line)
            line = b""
        line += (b":" if line or lines else b"") + name
    return b"\r\n ".join([*lines, line])


def _load(pem: str) -> rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey:
    key = serialization.load_pem_private_key(pem.encode("ascii"), password=None)
    if not isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        raise TypeError("A DKIM key is RSA or Ed25519.")
    return key


def _pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    octets = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return octets.decode("ascii")


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")
