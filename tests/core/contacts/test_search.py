"""Search as you type: any part that somebody types is found, in any script, and no typing breaks the question."""

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.core.contacts.rules import search_query, search_words
from postroom.core.contacts.rules.search import MAX_LENGTH, MAX_WORDS, fold

PEOPLE = {
    "ada": ("ada.lovelace+news@mail.example.co.uk", "Ada", "Lovelace", "Analytical Engines Ltd."),
    "brien": ("q1@example.com", "Zoë", "O'Brien-Strauß", "AT&T"),
    "lodz": ("q2@example.com", "Łukasz", "Żółć", "Łódź Sp. z o.o."),
    "tanaka": ("q3@example.jp", "太郎", "田中", "株式会社ABC"),
    "kim": ("q4@example.kr", "민수", "김", "삼성전자"),
    "thai": ("q5@example.th", "สมชาย", "ใจดี", "ธนาคารกรุงเทพ"),
    "ram": ("q6@example.in", "राम", "कुमार", "हिन्दी"),
    "ali": ("q7@example.ir", "محمّد", "می\u200cخواهم", ""),
    "ivan": ("q8@example.ru", "Иван", "Ёлкин", "Газпром"),
    "wide": (None, "Ｗｉｄｅ", "ﬁnch", ""),
    "istanbul": (None, "İpek", "Yıldız", "ISTANBUL"),
}


def found(typed: str) -> set[str]:
    """Ask the database itself, of everybody above."""
    query = search_query(typed)
    names = set()
    with connection.cursor() as cursor:
        for name, (email, first, last, company) in PEOPLE.items():
            words = search_words(email=email, first_name=first, last_name=last, company=company)
            cursor.execute("SELECT array_to_tsvector(%s::text[]) @@ %s::tsquery", [words, query])
            if cursor.fetchone()[0]:
                names.add(name)
    return names


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("a", "ada"),
        ("LOVE", "ada"),
        ("love ada", "ada"),
        ("ada.lovelace+news@mail.example.co.uk", "ada"),
        ("ada.lo", "ada"),
        ("ada.lovelace+news@mail", "ada"),
        ("example.co.uk", "ada"),
        ("@mail.exa", "ada"),
        ("mail.example", "ada"),
        ("engines ltd", "ada"),
        ("news", "ada"),
        ("zoe", "brien"),
        ("ZOË", "brien"),
        ("o'brien", "brien"),
        ("O’Brien", "brien"),
        ("obri", "brien"),
        ("strauss", "brien"),
        ("at&t", "brien"),
        ("lukasz zolc", "lodz"),
        ("łódź", "lodz"),
        ("田", "tanaka"),
        ("中", "tanaka"),
        ("太郎", "tanaka"),
        ("株式会社", "tanaka"),
        ("式会", "tanaka"),
        ("abc", "tanaka"),
        ("민", "kim"),
        ("삼성", "kim"),
        ("전자", "kim"),
        ("กรุงเทพ", "thai"),
        ("สม", "thai"),
        ("राम", "ram"),
        ("कु", "ram"),
        ("محمد", "ali"),
        ("میخواهم", "ali"),
        ("иван", "ivan"),
        ("елкин", "ivan"),
        ("wide", "wide"),
        ("finch", "wide"),
        ("ipek", "istanbul"),
        ("yildiz", "istanbul"),
        ("İSTANBUL", "istanbul"),
    ],
)
def test_whatever_is_typed_of_a_person_finds_them(typed: str, name: str) -> None:
    assert name in found(typed)


@pytest.mark.django_db
def test_every_word_must_be_there_and_nothing_at_all_is_not_everybody() -> None:
    assert found("ada brien") == set()
    assert found("ada love") == {"ada"}
    assert found("lace") == set()  # the middle of a word is not its beginning
    assert found("田太") == set()
    assert search_query("  ") == ""
    for nothing in ("!!!", "@", "'", "\\", "&|", "\0", "( )", "\u200b"):
        assert found(nothing) == set()


def test_one_person_has_few_and_short_words_whatever_their_name() -> None:
    words = search_words(
        email="a" * 60 + "@" + "b" * 190,
        first_name="é" * 200,
        last_name="田" * 200,
        company=" ".join("abcdefghij" * 20),
    )
    assert len(words) <= MAX_WORDS
    assert max(map(len, words)) <= MAX_LENGTH
    assert len(set(words)) == len(words)


@pytest.mark.django_db
@settings(max_examples=150, deadline=None)
@given(st.text(max_size=400))
def test_any_typing_makes_a_question_the_database_understands(typed: str) -> None:
    query = search_query(typed)
    assert bool(query) == bool(typed.strip())
    if query:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s::tsquery IS NOT NULL", [query])
            assert cursor.fetchone() == (True,)


@pytest.mark.django_db
@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0@"), min_size=1, max_size=40))
def test_whoever_has_a_letter_in_their_name_is_found_by_the_whole_of_it(name: str) -> None:
    words = search_words(email=None, first_name=name, last_name="", company="")
    typed = " ".join(name.split()[:6])
    if not any(one.isalnum() for one in fold(typed)):
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT array_to_tsvector(%s::text[]) @@ %s::tsquery", [words, search_query(typed)])
        assert cursor.fetchone() == (True,)


@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
