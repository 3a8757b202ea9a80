"""Secrets kept and words signed: every key is derived from the settings, one per purpose."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

from postroom.kit.errors import Invalid

MAC_SIZE: Final = 16
"""Octets of every signature: 128 bits."""


class BadCiphertext(Invalid):
    """The stored secret cannot be read with any of the configured keys."""

    code = "bad_ciphertext"


def encrypt(text: str) -> str:
    """Return ``text`` encrypted and authenticated (Fernet) under the newest key."""
    return _fernet(_encryption_secrets()).encrypt(text.encode()).decode("ascii")


def decrypt(text: str) -> str:
    """Return what ``encrypt`` was given, under whichever configured key it was written. Raises BadCiphertext."""
    try:
        return _fernet(_encryption_secrets()).decrypt(text.encode()).decode()
    except (InvalidToken, ValueError) as error:
        raise BadCiphertext from error


def rotate(text: str) -> str:
    """Return the same secret encrypted under the newest key. Raises BadCiphertext."""
    return encrypt(decrypt(text))


def keyed_hash(purpose: str, data: bytes, size: int = MAC_SIZE) -> bytes:
    """Return ``size`` octets of keyed BLAKE2b (RFC 7693) over ``data``; another purpose is another key."""
    hasher = _hasher(purpose, size, 0).copy()
    hasher.update(data)
    return hasher.digest()


def keyed_hashes(purpose: str, data: bytes, size: int = MAC_SIZE) -> Iterator[bytes]:
    """Yield ``keyed_hash`` under the current secret key, then under each retired one."""
    for age in range(1 + len(settings.SECRET_KEY_FALLBACKS)):
        hasher = _hasher(purpose, size, age).copy()
        hasher.update(data)
        yield hasher.digest()


def matches(mac: bytes, hashes: Iterable[bytes]) -> bool:
    """Whether ``mac`` is one of ``hashes``; each comparison takes the same time wherever they differ."""
    return any(hmac.compare_digest(mac, one) for one in hashes)


def sign(purpose: str, payload: bytes) -> bytes:
    """Return ``payload`` followed by its 128-bit signature."""
    return payload + keyed_hash(purpose, payload)


def unsign(purpose: str, signed: bytes) -> bytes | None:
    """Return the payload of ``sign``, or None when the signature is wrong. Retired secret keys still count, so that
    links in mail already delivered survive a rotation.
    """
    payload, mac = signed[:-MAC_SIZE], signed[-MAC_SIZE:]
    if hmac.compare_digest(mac, keyed_hash(purpose, payload)):  # nearly always, so it does not wait for the others
        return payload
    return payload if matches(mac, keyed_hashes(purpose, payload)) else None


def address_hash(email: str) -> bytes:
    """Return 16 octets that stand for an address which itself must be forgotten (suppressions after an erasure).

    They are made with the oldest secret key, so they outlive a rotation for as long as that key stays a fallback.
    """
    hasher = _hasher("address", MAC_SIZE, -1).copy()
    hasher.update(email.strip().lower().encode())
    return hasher.digest()


@lru_cache(maxsize=256)
def _hasher(purpose: str, size: int, age: int) -> "hashlib.blake2b":
    """Return the keyed hasher of a purpose under the current secret key (age 0), a retired one or the oldest (-1)."""
    secret = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)[age]
    root = hashlib.blake2b(secret.encode(), person=b"postroom").digest()
    key = hashlib.blake2b(purpose.encode(), key=root).digest()
    return hashlib.blake2b(key=key, digest_size=size)


@receiver(setting_changed)
def _forget_keys(*, setting: str, **_: object) -> None:
    if setting.startswith("SECRET_KEY"):
        _hasher.cache_clear()


def _encryption_secrets() -> tuple[str, ...]:
    """Newest first: the first encrypts, all decrypt."""
    return (*getattr(settings, "ENCRYPTION_KEYS", ()), settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=8)
def _fernet(secrets: tuple[str, ...]) -> MultiFernet:
    keys = (hashlib.blake2b(secret.encode(), digest_size=32, person=b"postroom-encrypt").digest() for secret in secrets)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])
