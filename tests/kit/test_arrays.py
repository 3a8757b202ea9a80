"""Literals of arrays: whatever goes in comes out of the database."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postroom.kit.arrays import array_text, text_array_text

TEXTS = st.lists(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")))


def read_back(literal: str, type_: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{type_}[]", [literal])
        return cursor.fetchone()[0]


@pytest.mark.django_db
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(TEXTS)
def test_any_texts_come_back(texts: list[str]) -> None:
    assert read_back(text_array_text(texts), "text") == texts


@pytest.mark.django_db
def test_numbers_and_words_that_mean_something_to_the_database_come_back() -> None:
    assert read_back(array_text([1, -2, 2**62]), "bigint") == [1, -2, 2**62]
    assert read_back(array_text(()), "bigint") == []
    hard = ["NULL", "", " ", "{}", "a,b", '"', "\\", "\\N", "'", "a\nb"]
    assert read_back(text_array_text(hard), "text") == hard
