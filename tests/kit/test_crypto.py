"""Secrets kept, and words signed."""

import pytest
from django.conf import settings
from django.test import override_settings

from postroom.kit import crypto


def test_a_secret_comes_back_and_is_not_readable_meanwhile() -> None:
    stored = crypto.encrypt("pässword")
    assert "pässword" not in stored
    assert crypto.decrypt(stored) == "pässword"
    assert crypto.encrypt("pässword") != stored


def test_a_changed_secret_is_refused() -> None:
    stored = crypto.encrypt("password")
    for position in (0, 20, len(stored) // 2, len(stored) - 6):
        other = "A" if stored[position] != "A" else "B"
        with pytest.raises(crypto.BadCiphertext):
            crypto.decrypt(stored[:position] + other + stored[position + 1 :])
    with pytest.raises(crypto.BadCiphertext):
        crypto.decrypt("äöü")


def test_keys_rotate_without_losing_a_secret() -> None:
    with override_settings(SECRET_KEY="first", SECRET_KEY_FALLBACKS=[], ENCRYPTION_KEYS=[]):
        stored = crypto.encrypt("password")
    with override_settings(SECRET_KEY="first", SECRET_KEY_FALLBACKS=[], ENCRYPTION_KEYS=["second"]):
        assert crypto.decrypt(stored) == "password"
        rotated = crypto.rotate(stored)
    with override_settings(SECRET_KEY="other", SECRET_KEY_FALLBACKS=[], ENCRYPTION_KEYS=["second"]):
        assert crypto.decrypt(rotated) == "password"
        with pytest.raises(crypto.BadCiphertext):
            crypto.decrypt(stored)


def test_a_signature_is_of_one_purpose_and_one_payload() -> None:
    signed = crypto.sign("one", b"payload")
    assert len(signed) == len(b"payload") + 16
    assert crypto.unsign("one", signed) == b"payload"
    assert crypto.unsign("two", signed) is None
    assert crypto.unsign("one", b"Payload" + signed[7:]) is None
    assert crypto.unsign("one", b"") is None


def test_the_hash_of_an_address_forgets_case_and_depends_on_the_key() -> None:
    known = crypto.address_hash("Kim@Example.com ")
    assert known == crypto.address_hash("kim@example.com")
    assert len(known) == 16
    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[]):
        assert crypto.address_hash("kim@example.com") != known
    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert crypto.address_hash("kim@example.com") == known


def test_the_same_data_hashes_apart_for_other_purposes() -> None:
    assert crypto.keyed_hash("a", b"x") != crypto.keyed_hash("b", b"x")
    assert len(crypto.keyed_hash("a", b"x", size=32)) == 32
