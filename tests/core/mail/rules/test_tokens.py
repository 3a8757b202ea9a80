"""Tokens: signed, bound to one purpose, and of one spelling."""

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from postroom.core.mail.rules import tokens

NUMBERS = st.integers(min_value=0, max_value=2**63 - 1)
READERS = (tokens.read_pixel, tokens.read_click, tokens.read_unsubscribe, tokens.read_bounce, tokens.read_reply)


def spellings(message_id: int) -> tuple[str, ...]:
    return (
        tokens.pixel_token(message_id),
        tokens.click_token(message_id, 9, 3),
        tokens.unsubscribe_token(message_id),
        tokens.bounce_local_part(message_id),
        tokens.reply_local_part(message_id),
    )


@given(NUMBERS, NUMBERS, st.integers(min_value=0, max_value=65_535))
def test_every_token_says_again_what_was_signed(message: int, content: int, index: int) -> None:
    assert tokens.read_pixel(tokens.pixel_token(message)) == tokens.MessageToken(message)
    assert tokens.read_unsubscribe(tokens.unsubscribe_token(message)) == tokens.MessageToken(message)
    assert tokens.read_click(tokens.click_token(message, content, index)) == tokens.ClickToken(message, content, index)
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


def test_no_changed_character_and_no_truncation_is_accepted() -> None:
    for word, read in zip(spellings(77), READERS, strict=True):
        for position in range(len(word)):
            for other in "a0_-Z":
                if word[position].lower() != other.lower():
                    assert read(word[:position] + other + word[position + 1 :]) is None
            assert read(word[:position]) is None
        assert read(word + "A") is None


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
        word = tokens.unsubscribe_token(1)
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["old"]):
        assert tokens.read_unsubscribe(word) == tokens.MessageToken(1)
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=[]):
        assert tokens.read_unsubscribe(word) is None
