"""A needle is found where it stands by itself, by the database and by us alike."""

import io

import pytest
from django.db import connection

from postroom.kit.needles import file_holds, like_patterns, text_holds, word_patterns

BOB = "bob@example.com"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("bob@example.com", True),
        ("To: Bob <BOB@Example.com>, x", True),
        ('{"email": "bob@example.com"}', True),
        ("x;bob@example.com;y", True),
        ("Write to bob@example.com.", True),
        ("jimbob@example.com", False),
        ("jim.bob@example.com", False),
        ("jim+bob@example.com", False),
        ("bob@example.com.au", False),
        ("bob@example.community", False),
        ("bob@exampleXcom", False),
        ("", False),
    ],
)
def test_an_address_is_told_from_those_it_is_part_of(text: str, is_found: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s ~* ANY(%s)", [text, word_patterns([BOB])])
        assert cursor.fetchone() == (is_found,)
    assert text_holds(text, [BOB]) is is_found


@pytest.mark.django_db
@pytest.mark.parametrize("needle", ["+49 30 (901) 820", "a.b[c]*?^$|{x}\\d@example.com", "zoë@example.com", "100%_x"])
def test_whatever_a_needle_holds_means_itself(needle: str) -> None:
    with connection.cursor() as cursor:
        for operator, patterns in (("~*", word_patterns([needle])), ("ILIKE", like_patterns([needle]))):
            cursor.execute(
                f"SELECT %s {operator} ANY(%s), %s {operator} ANY(%s)", [f"x, {needle} y", patterns, "x", patterns]
            )
            assert cursor.fetchone() == (True, False)
    assert text_holds(f"x, {needle} y", [needle])


@pytest.mark.django_db
def test_no_needle_is_found_nowhere() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT %s ~* ANY(%s::text[]), %s ILIKE ANY(%s::text[])",
            ["x", word_patterns([]), "x", like_patterns([""][:0])],
        )
        assert cursor.fetchone() == (False, False)
    assert not text_holds("x", [""])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16"])
def test_a_file_is_searched_across_the_edges_of_its_pieces(encoding: str) -> None:
    for before in (0, 1024 * 1024 - 5, 1024 * 1024 - 30):
        octets = ("x" * before + "BOB@example.com" + "y" * 100).encode(encoding)
        assert file_holds(io.BytesIO(octets), [BOB])
    assert not file_holds(io.BytesIO(b"x" * 3_000_000), [BOB])
    assert not file_holds(io.BytesIO(b"x"), [])
