"""Reading what servers write, in whatever pieces it arrives."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.core.mail.ports import Outcome
from postroom.providers.smtp.replies import (
    MAX_LINE,
    MAX_REPLY,
    BadReply,
    OpeningReplies,
    ReplyReader,
    clean,
    read_result,
)
from postroom.providers.smtp.session import read_features

STREAM = b"220 hello\r\n250-one\r\n250-two\r\n250 three\r\n354\r\n250 2.0.0 Ok\n550-5.1.1 no\r\n550 5.1.1 such user\r\n"
REPLIES = [
    (220, b"hello"),
    (250, b"one\ntwo\nthree"),
    (354, b""),
    (250, b"2.0.0 Ok"),
    (550, b"5.1.1 no\n5.1.1 such user"),
]


@given(st.lists(st.integers(0, len(STREAM)), max_size=10))
def test_replies_are_the_same_however_they_are_cut(cuts: list[int]) -> None:
    reader, replies = ReplyReader(), []
    edges = [0, *sorted(cuts), len(STREAM)]
    for start, end in itertools.pairwise(edges):
        replies += reader.feed(STREAM[start:end])
    assert replies == REPLIES
    assert reader.is_empty


@pytest.mark.parametrize(
    "line", [b"hello", b"25", b"2500 x", b"25x no", b"150 no", b"650 no", b"", b"250_no", b"\xff\xff\xff a"]
)
def test_what_is_no_reply_is_refused(line: bytes) -> None:
    with pytest.raises(BadReply):
        list(ReplyReader().feed(line + b"\r\n"))


def test_endless_lines_and_endless_replies_are_cut_off() -> None:
    with pytest.raises(BadReply, match="does not end"):
        list(ReplyReader().feed(b"250 " + b"x" * MAX_LINE))
    with pytest.raises(BadReply, match="does not end"):
        list(ReplyReader().feed(b"250-\r\n" * MAX_REPLY))


def test_the_code_may_not_change_within_a_reply() -> None:
    with pytest.raises(BadReply, match="changes its code"):
        list(ReplyReader().feed(b"250-one\r\n550 two\r\n"))


@pytest.mark.parametrize(
    ("code", "text", "outcome", "enhanced", "words", "provider_id"),
    [
        (250, b"2.0.0 Ok: queued as 4B2C9", Outcome.SENT, "2.0.0", "Ok: queued as 4B2C9", "4B2C9"),
        (250, b"OK id=1x", Outcome.SENT, "", "OK id=1x", ""),
        (451, b"4.7.1 later\n4.7.1 please", Outcome.DEFERRED, "4.7.1", "later please", ""),
        (550, b"5.7.515 Access denied", Outcome.FAILED, "5.7.515", "Access denied", ""),
        (550, b"4.1.1 two minds", Outcome.FAILED, "", "4.1.1 two minds", ""),
        (550, b"5.1.1", Outcome.FAILED, "5.1.1", "", ""),
        (552, b"5.3.4.9 odd", Outcome.FAILED, "", "5.3.4.9 odd", ""),
    ],
)
def test_the_final_word_is_understood(
    code: int, text: bytes, outcome: Outcome, enhanced: str, words: str, provider_id: str
) -> None:
    result = read_result(code, text)
    assert (result.outcome, result.code, result.enhanced) == (outcome, code, enhanced)
    assert (result.text, result.provider_id) == (words, provider_id)


def test_a_server_s_words_cannot_play_tricks() -> None:
    assert clean(b"a\x1b[31m\x00b\r\nc\xff") == "a [31m b c\ufffd"
    assert len(clean(b"x" * 100_000)) == 500
    assert clean(b"\x00" * 100) == ""


def test_the_offers_of_a_server_are_read() -> None:
    features = read_features(b"mx.example.com\nPIPELINING\nsize 35882577\nAUTH PLAIN login\n8BITMIME\n\nSMTPUTF8 x")
    assert (features.has_pipelining, features.has_8bitmime, features.has_smtputf8) == (True, True, True)
    assert (features.size, sorted(features.sign_ins)) == (35882577, ["LOGIN", "PLAIN"])
    assert not features.has_starttls
    assert read_features(b"PIPELINING").has_pipelining is False
    assert read_features(b"x\nSIZE abc").size == 0


def test_good_answers_to_an_opening_are_read_at_a_glance_and_nothing_else_is() -> None:
    openings = OpeningReplies()
    for number in range(200):
        octets = b"250 2.1.0 Ok\r\n250 <u%d@x.example> ok\r\n354 go\r\n" % number
        said = f"MAIL: 250 2.1.0 Ok\nRCPT: 250 <u{number}@x.example> ok\nDATA: 354 go\n"
        assert openings.read(octets) == openings.read(octets) == said
    for other in (
        b"",
        b"250 a\r\n250 b\r\n",
        b"250 a\r\n250 b\r\n354 c",
        b"250 a\r\n250 b\r\n354 c\r\n250 d\r\n",
        b"250 a\r\n550 b\r\n354 c\r\n",
        b"250 a\r\n250 b\r\n554 c\r\n",
        b"250-a\r\n250 b\r\n354 c\r\n",
        b"250 a\n250 b\n354 c\n",
        b"250 a\r\n250 b\nx\r\n354 c\r\n",
        b"421 a\r\n250 b\r\n354 c\r\n",
        b"250 a\r\n250 b\r\n354 " + b"c" * 5_000 + b"\r\n",
    ):
        assert openings.read(other) == ""
