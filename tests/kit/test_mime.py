"""Octets of mail, read back by the standard library."""

import quopri
import re
from email import message_from_bytes, policy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.kit import mime

TEXT = st.text(max_size=400)
MIXED = st.lists(st.sampled_from([" ", "  ", "\t", "\n", ".", "=", "é", "🎉", "word", "x" * 80, "From "])).map("".join)


@given(TEXT | MIXED)
def test_quoted_printable_reads_back_and_keeps_to_its_lines(text: str) -> None:
    text = mime.clean_text(text)
    encoded = mime.qp_end(text)
    assert quopri.decodestring(encoded).replace(b"\r\n", b"\n").decode() == text
    assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))
    assert not re.search(rb"[ \t]\r\n|[ \t]$|[^\r]\n|\r[^\n]", encoded)


@given(st.lists(TEXT | MIXED, max_size=6))
def test_pieces_join_to_the_whole_text(texts: list[str]) -> None:
    texts = [mime.clean_text(text) for text in texts]
    encoded = b"".join([*map(mime.qp_piece, texts), mime.qp_end("end")])
    assert quopri.decodestring(encoded).replace(b"\r\n", b"\n").decode() == "".join(texts) + "end"
    assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))
    assert b"=_" not in encoded


@settings(max_examples=500)
@given(st.text(max_size=300))
def test_a_header_reads_back_and_cannot_be_split(text: str) -> None:
    value = mime.clean_line(text)
    field = mime.header_field("Subject", value)
    lines = field.split(b"\r\n")
    assert lines[-1] == b""
    assert field.isascii()
    assert all(len(line) <= 76 for line in lines)
    assert all(line.startswith(b" ") for line in lines[1:-1])
    assert all(len(word) <= 75 for word in re.findall(rb"=\?[^ ]*\?=", field))
    message = message_from_bytes(field + b"\r\n", policy=policy.default)
    assert message.keys() == ["Subject"]
    if not re.search(r"[\x85\u2028\u2029]", value):  # the reader itself takes these for line ends
        assert str(message["Subject"]) == value


def test_an_encoded_word_never_splits_a_character() -> None:
    field = mime.header_field("Subject", "🎉ñ" * 100)
    for word in re.findall(rb"=\?utf-8\?b\?(.*?)\?=", field):
        assert b"=?" not in word
    assert str(message_from_bytes(field + b"\r\n", policy=policy.default)["Subject"]) == "🎉ñ" * 100


def test_text_that_looks_encoded_is_encoded_again() -> None:
    field = mime.header_field("Subject", "=?utf-8?q?x?=")
    assert str(message_from_bytes(field + b"\r\n", policy=policy.default)["Subject"]) == "=?utf-8?q?x?="


def test_cleaning_keeps_text_and_drops_controls() -> None:
    assert mime.clean_text("a\r\nb\rc\0\x0b\ud800d\te") == "a\nb\ncd\te"
    assert mime.clean_line(" a\r\n b\t\0c ") == "a  b c"


def test_no_line_of_a_part_begins_with_a_dot() -> None:
    assert mime.qp_end(".a\nb.c\n.") == b"=2Ea\r\nb.c\r\n=2E"
    assert mime.qp_piece(".") == b"=2E=\r\n"
    for size in range(1, 300):
        lines = mime.qp_end("." * size).split(b"\r\n")
        assert quopri.decodestring(b"\r\n".join(lines)) == b"." * size
        assert max(map(len, lines)) <= 76
        assert not any(line.startswith(b".") for line in lines)


@pytest.mark.parametrize("length", range(60, 80))
@pytest.mark.parametrize("space", [" ", "\t"])
def test_white_space_at_the_end_of_a_full_line_does_not_lengthen_it(length: int, space: str) -> None:
    text = "x" * length + space + "\nnext"
    for encoded in (mime.qp_end(text), mime.qp_piece(text) + b"x"):
        assert max(map(len, encoded.split(b"\r\n"))) <= 76
        assert quopri.decodestring(encoded).replace(b"\r\n", b"\n").startswith(text.encode())
