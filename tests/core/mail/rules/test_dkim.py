"""DKIM signatures, checked by an independent implementation."""

import random

import pytest

from postroom.core.mail.rules import dkim
from tests.dkim_reader import verify_all

KEYS = dkim.generate_keys()
SIGNER = dkim.Signer("x.example", [("post", KEYS.rsa_private), ("post-ed", KEYS.ed25519_private)])
RECORDS = {
    "post._domainkey.x.example": dkim.dns_record(KEYS.rsa_public),
    "post-ed._domainkey.x.example": dkim.dns_record(KEYS.ed25519_public),
}
HEADER = (
    b"From: Post <a@x.example>\r\nTo: b@y.example\r\nSubject:  two \r\n\t lines  here \r\n"
    b"Date: Fri, 20 Nov 2026 08:00:00 +0000\r\nMessage-ID: <1@x.example>\r\nList-Unsubscribe:\r\n"
    b" <https://x.example/u/abc>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
)
BODIES = {
    "plain": b"Hello\r\n",
    "empty": b"",
    "blank lines only": b"\r\n\r\n\r\n",
    "trailing blanks": b"Hello  \t \r\nyou \r\n \r\n\r\n",
    "runs of blanks": b"a  b\t\tc \t d\r\n\te\r\n",
    "eight bits": "Grüße, 你好 🎉\r\n".encode(),
    "leading dots": b".\r\n..a\r\n",
    "long line": b"x" * 998 + b"\r\n",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_both_signatures_hold_for_any_body(body: bytes) -> None:
    message = HEADER + body
    assert verify_all(SIGNER.sign(message) + message, RECORDS) == [True, True]


def test_five_hundred_random_messages_verify() -> None:
    signer = dkim.Signer("x.example", [("post-ed", KEYS.ed25519_private)])
    chance = random.Random(1)
    for _ in range(500):
        words = [chance.choice([" ", "  ", "\t", "\r\n", ".", "é", "word", "=", "🎉"]) for _ in range(40)]
        message = HEADER + "".join(words).encode() + b"\r\n"
        assert verify_all(signer.sign(message) + message, RECORDS) == [True]


@pytest.mark.parametrize("where", [b"Post", b"b@y", b"two", b"Nov", b"<1@", b"One-Click", b"u/abc", b"utf-8", b"Hello"])
def test_no_signature_holds_when_a_signed_byte_is_changed(where: bytes) -> None:
    message = HEADER + b"Hello\r\n"
    signed = SIGNER.sign(message) + message
    at = signed.index(where, len(SIGNER.sign(message)))
    flipped = signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :]
    assert verify_all(flipped, RECORDS) == [False, False]


@pytest.mark.parametrize("extra", [b"From: evil@z.example\r\n", b"Subject: other\r\n", b"Reply-To: evil@z.example\r\n"])
def test_no_signature_holds_when_a_field_is_added(extra: bytes) -> None:
    message = HEADER + b"Hello\r\n"
    assert verify_all(SIGNER.sign(message) + extra + message, RECORDS) == [False, False]


def test_all_that_must_be_signed_is_signed_and_from_twice() -> None:
    fields = SIGNER.sign(HEADER + b"Hello\r\n").replace(b"\r\n ", b"")
    names = fields.partition(b" h=")[2].partition(b";")[0] or fields.partition(b"h=")[2].partition(b";")[0]
    signed = names.decode().split(":")
    assert signed.count("from") == 2
    assert {"to", "subject", "date", "message-id", "list-unsubscribe", "list-unsubscribe-post"} <= set(signed)
    assert {"mime-version", "content-type"} <= set(signed)


def test_without_a_key_nothing_is_signed() -> None:
    assert dkim.Signer("x.example").sign(HEADER) == b""


def test_no_line_of_a_signature_is_long() -> None:
    assert max(map(len, SIGNER.sign(HEADER + b"Hello\r\n").split(b"\r\n"))) <= 78 + 20


def test_the_dns_record_names_the_kind_of_key() -> None:
    assert RECORDS["post._domainkey.x.example"].startswith("v=DKIM1; k=rsa; p=")
    assert RECORDS["post-ed._domainkey.x.example"].startswith("v=DKIM1; k=ed25519; p=")
