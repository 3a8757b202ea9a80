"""DKIM signatures (RFC 6376, RFC 8463): relaxed/simple, RSA-2048 and Ed25519, with From signed twice.

The body is signed as it is: ours has no blanks at the end of a line that anybody on the way could take for spare.
"""

import base64
import hashlib
import re
from binascii import b2a_base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

RSA_BITS: Final = 2048

SIGNED: Final = (
    *(b"from", b"to", b"cc", b"subject", b"date", b"message-id", b"reply-to", b"in-reply-to", b"references"),
    *(b"list-unsubscribe", b"list-unsubscribe-post", b"mime-version", b"content-type", b"content-transfer-encoding"),
)
"""Fields that are signed where present (RFC 6376, section 5.4.1)."""

OVERSIGNED: Final = frozenset((b"from", b"to", b"subject", b"date", b"message-id", b"reply-to"))
"""Fields named once more than they occur, so that a second one breaks the signature (RFC 6376, section 8.15)."""

_FIELD: Final = re.compile(rb"([!-9;-~]+):([^\r]*(?:\r(?:\n[ \t]|(?!\n))[^\r]*)*)\r\n")
_BLANKS: Final = re.compile(rb"[ \t]+")
_LINE: Final = 72
_MOST_OPENINGS: Final = 64
_PADDING: Final = padding.PKCS1v15()
_SHA256: Final = hashes.SHA256()

PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


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
    """Signs messages of one domain, with each key it is given; the header and the body are read once for all of them.

    ``keys`` are pairs of a selector and a private key as PKCS#8 PEM.
    """

    def __init__(self, domain: str, keys: Iterable[tuple[str, str]] = ()) -> None:
        self._keys: list[tuple[bytes, PrivateKey]] = []
        self._openings: dict[tuple[bytes, ...], list[_Opening]] = {}
        for selector, pem in keys:
            key = _load(pem)
            algorithm = "rsa" if isinstance(key, rsa.RSAPrivateKey) else "ed25519"
            start = f"v=1; a={algorithm}-sha256; c=relaxed/simple; d={domain};\r\n s={selector}; h="
            self._keys.append((start.encode("ascii"), key))

    def sign(self, message: bytes) -> bytes:
        """Return the DKIM-Signature fields to put before ``message``, CRLF included; nothing without a key."""
        if not self._keys:
            return b""
        header, _, body = message.partition(b"\r\n\r\n")
        names, canonical = canonical_fields(header + b"\r\n")
        return self.sign_canonical(names, canonical, hash_body(body))

    def sign_canonical(self, names: tuple[bytes, ...], canonical: bytes, body_hash: bytes) -> bytes:
        """As ``sign``, of fields that are in relaxed form already, in the order in which ``names`` (for ``h=``) names
        them, and of a body whose ``hash_body`` is known.
        """
        openings = self._openings.get(names)
        if openings is None:
            if len(self._openings) >= _MOST_OPENINGS:
                self._openings.clear()
            openings = self._openings[names] = [_open(start, names, key) for start, key in self._keys]
        return b"".join([_sign(opening, canonical, body_hash) for opening in openings])


class _Opening(NamedTuple):
    """A signature's own field up to the body's hash: as it is written, and in relaxed form."""

    written: bytes
    relaxed: bytes
    key: PrivateKey


def _open(start: bytes, names: tuple[bytes, ...], key: PrivateKey) -> _Opening:
    written = start + _fold_names(names) + b";\r\n bh="
    return _Opening(b"DKIM-Signature: " + written, b"dkim-signature:" + relaxed(written), key)


def hash_body(body: bytes) -> bytes:
    """Return the value of ``bh=``: the hash of the body in simple form (RFC 6376, section 3.4.3)."""
    return b2a_base64(hashlib.sha256(canonical_body(body)).digest(), newline=False)


def canonical_body(body: bytes) -> bytes:
    """Return the body in simple form: as it is, with one line end at its end however many there are."""
    end = len(body)
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    return body if end + 2 == len(body) else body[:end] + b"\r\n"


def _sign(opening: _Opening, canonical: bytes, body_hash: bytes) -> bytes:
    """Sign the fields and, last and without a line end, the signature's own field (RFC 6376, section 3.7)."""
    signed = canonical + opening.relaxed + body_hash + b"; b="
    key = opening.key
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(signed, _PADDING, _SHA256)
    else:
        signature = key.sign(hashlib.sha256(signed).digest())
    encoded = b2a_base64(signature, newline=False)
    lines = [encoded[start : start + _LINE] for start in range(0, len(encoded), _LINE)]
    return opening.written + body_hash + b";\r\n b=" + b"\r\n ".join(lines) + b"\r\n"


def canonical_fields(header: bytes, oversigned: frozenset[bytes] = OVERSIGNED) -> tuple[tuple[bytes, ...], bytes]:
    """Return the names for ``h=`` and the fields they stand for in relaxed form; the last of a name counts first.

    ``header`` ends with the line end of its last field. A header that is read in two parts names each of
    ``OVERSIGNED`` with one of them.
    """
    fields: dict[bytes, list[bytes]] = {}
    for name, value in _FIELD.findall(header):
        fields.setdefault(name.lower(), []).append(value)
    names: list[bytes] = []
    canonical: list[bytes] = []
    for name in SIGNED:
        if (values := fields.get(name)) is not None:
            names += [name] * len(values)
            canonical += [name + b":" + relaxed(value) + b"\r\n" for value in reversed(values)]
        if name in oversigned:
            names.append(name)
    return tuple(names), b"".join(canonical)


def relaxed(value: bytes) -> bytes:
    """Return a field's value in relaxed form: unfolded, its blanks single, none around it (section 3.4.2)."""
    return _BLANKS.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")


def _fold_names(names: tuple[bytes, ...]) -> bytes:
    lines, line = [], b""
    for name in names:
        if line and len(line) + len(name) > _LINE:
            lines.append(line)
            line = b""
        line += (b":" if line or lines else b"") + name
    return b"\r\n ".join([*lines, line])


def _load(pem: str) -> PrivateKey:
    key = serialization.load_pem_private_key(pem.encode("ascii"), password=None)
    if not isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        raise TypeError("A DKIM key is RSA or Ed25519.")
    return key


def _pem(key: PrivateKey) -> str:
    octets = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return octets.decode("ascii")


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")
