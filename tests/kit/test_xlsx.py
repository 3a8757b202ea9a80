"""The workbooks we write are read alike by two readers that have nothing to do with each other."""

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from postroom.kit.xlsx import XlsxWriter

_WRITABLE = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | st.sampled_from("\n\t_x05F"),
    min_size=1,
    max_size=30,
)


def write(*rows: list[str | float]) -> io.BytesIO:
    """Return a workbook of these rows."""
    file = io.BytesIO()
    writer = XlsxWriter(file, title="People & co")
    for row in rows:
        writer.write(row)
    writer.close()
    file.seek(0)
    return file


def read_with_openpyxl(file: io.BytesIO) -> list[list[Any]]:
    """Return the rows as openpyxl reads them."""
    return [list(row) for row in load_workbook(file).active.iter_rows(values_only=True)]


def read_with_calamine(file: io.BytesIO) -> list[list[Any]]:
    """Return the rows as calamine reads them."""
    return CalamineWorkbook.from_filelike(file).get_sheet_by_index(0).to_python()


def test_texts_numbers_and_gaps_are_where_they_were_put() -> None:
    rows: list[list[str | float]] = [
        ["name", "age", "", "x"],
        ['Zoë <&> "q"', 41, "", " two\nlines "],
        ["", -5.5, "'=1", "_x0041_"],
    ]
    assert read_with_calamine(write(*rows)) == rows
    found = read_with_openpyxl(write(*rows))
    assert [[cell if cell is not None else "" for cell in row] for row in found][:2] == rows[:2]


@settings(max_examples=200)
@given(st.lists(_WRITABLE, min_size=1, max_size=5))
def test_any_text_comes_back(texts: list[str]) -> None:
    assert read_with_calamine(write([*texts])) == [texts]


def test_what_xml_cannot_say_does_not_break_the_file() -> None:
    assert read_with_calamine(write(["a\x00b\x0bc\ud800d"])) == [["a\ufffdb\ufffdc\ufffdd"]]


@pytest.mark.parametrize("count", [0, 499, 500, 1_001])
def test_no_row_is_lost_at_the_edges_of_a_write(count: int) -> None:
    assert len(read_with_calamine(write(*([n] for n in range(1, count + 1))))) == count
