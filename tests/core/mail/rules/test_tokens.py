"""Tokens: signed, bound to one purpose, and of one spelling."""

import struct

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from postroom.core.mail.rules import tokens
from postroom.kit.crypto import sign
from postroom.kit.tokens import from_text, make_token, to_text

NUMBERS = st.integers(min_value=0, max_value=2**63 - 1)
READERS = (
    tokens.read_track,
    tokens.read_unsubscribe,
    tokens.read_bounce,
    tokens.read_reply,
    tokens.read_message_id,
)


def spellings(message_id: int) -> tuple[str, ...]:
    return (
        tokens.track_token(message_id, 9),
        tokens.unsubscribe_token(message_id),
        tokens.bounce_local_part(message_id),
        tokens.reply_local_part(message_id),
        tokens.message_id_header(message_id, "x.example"),
    )


@given(NUMBERS, NUMBERS, st.integers(min_value=0, max_value=65_535))
def test_every_token_says_again_what_was_signed(message: int, content: int, index: int) -> None:
    assert tokens.read_track(tokens.track_token(message, content)) == tokens.TrackToken(message, content)
    assert tokens.read_unsubscribe(tokens.unsubscribe_token(message)) == tokens.MessageToken(message)
    assert tokens.read_click(tokens.click_path(message, content, index)) == tokens.ClickToken(message, content, index)
    assert tokens.read_message_id(tokens.message_id_header(message, "x.example")) == tokens.MessageToken(message)


@given(NUMBERS)
def test_local_parts_survive_a_change_of_case_and_fit(message: int) -> None:
    for word, read in (
        (tokens.bounce_local_part(message), tokens.read_bounce),
        (tokens.reply_local_part(message), tokens.read_reply),
    ):
        assert len(word) <= 64
        assert word == word.lower()
        assert read(word.upper()) == tokens.MessageToken(message)


def test_mail_from_before_there_were_seals_can_still_be_left_and_comes_back() -> None:
    number = struct.pack(">Q", 77)
    spelt = {
        "unsubscribe": (tokens.read_unsubscribe, make_token("unsubscribe", number)),
        "bounce": (tokens.read_bounce, f"bounce-{sign('bounce', number).hex()}"),
        "reply": (tokens.read_reply, f"reply-{sign('reply', number).hex()}"),
        "message-id": (tokens.read_message_id, f"<{sign('message-id', number).hex()}@x.example>"),
    }
    assert all(read(word) == tokens.MessageToken(77) for read, word in spelt.values())
    link = make_token("click", struct.pack(">QQH", 77, 9, 3))
    assert tokens.read_click(link) == tokens.ClickToken(77, 9, 3)
    assert tokens.read_unsubscribe(make_token("reply", number)) is None
    assert tokens.read_click(make_token("pixel", number)) is None
    assert tokens.read_click(tokens.track_token(77, 9)) is None


def test_no_changed_character_and_no_truncation_is_accepted() -> None:
    for word, read in zip(spellings(77)[:-1], READERS, strict=False):
        for position in range(len(word)):
            for other in "a0_-Z":
                if word[position].lower() != other.lower():
                    assert read(word[:position] + other + word[position + 1 :]) is None
            assert read(word[:position]) is None
        assert read(word + "A") is None


def test_no_changed_message_id_is_accepted() -> None:
    word = tokens.message_id_header(77, "x.example")
    for position in range(1, 49):
        other = "0" if word[position] != "0" else "1"
        assert tokens.read_message_id(word[:position] + other + word[position + 1 :]) is None
        assert tokens.read_message_id(word[:position] + word[position + 1 :]) is None
    assert tokens.read_message_id(word.upper().replace("@X.EXAMPLE", "@relay.example")) == tokens.MessageToken(77)


def test_a_signature_made_for_one_purpose_is_refused_for_each_other() -> None:
    bounce, reply = tokens.bounce_local_part(77), tokens.reply_local_part(77)
    octets = bytes.fromhex(bounce.removeprefix("bounce-"))
    assert tokens.read_reply(bounce.replace("bounce-", "reply-")) is None
    assert tokens.read_bounce(reply.replace("reply-", "bounce-")) is None
    assert tokens.read_message_id(f"<{octets.hex()}@x.example>") is None
    assert tokens.read_unsubscribe(to_text(octets)) is None
    assert tokens.read_track(tokens.unsubscribe_token(77)) is None


def test_another_contents_links_cannot_be_named() -> None:
    octets = from_text(tokens.track_token(77, 9))
    assert tokens.read_track(to_text(octets[:8] + (10).to_bytes(8) + octets[16:])) is None


@pytest.mark.parametrize("index", ["", "-1", "01", "1/", "1 ", "²", "٣", "100000", "1\n", "x"])
def test_a_link_has_a_plain_number(index: str) -> None:
    assert tokens.read_click(f"{tokens.track_token(7, 9)}/{index}") is None


def test_a_token_is_good_for_its_own_purpose_alone() -> None:
    for own, word in enumerate(spellings(77)):
        for other, read in enumerate(READERS):
            assert (read(word) is not None) == (own == other)


@pytest.mark.parametrize("word", ["", "A", "=", "é", "A" * 10_000, "bounce-", "bounce-zz", "reply-\n", "\0", "../etc"])
def test_nonsense_is_no_token(word: str) -> None:
    assert all(read(word) is None for read in READERS)
    assert tokens.read_message_id(word) is None


def test_the_message_id_is_the_same_at_every_try() -> None:
    assert tokens.message_id_header(5, "x.example") == tokens.message_id_header(5, "x.example")
    assert tokens.message_id_header(5, "x.example") != tokens.message_id_header(6, "x.example")


def test_links_survive_a_rotation_of_the_secret_key_and_no_longer() -> None:
    with override_settings(SECRET_KEY="old", SECRET_KEY_FALLBACKS=[]):
        words = spellings(1)
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["middle", "old"]):
        assert all(read(word) is not None for read, word in zip(READERS, words, strict=True))
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=[]):
        assert all(read(word) is None for read, word in zip(READERS, words, strict=True))
