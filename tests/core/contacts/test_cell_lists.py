"""Many names in one cell come out as they went in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.core.contacts.rules.cell_lists import join_cells, join_states, split_cells, split_states
from postroom.core.contacts.rules.export_headers import custom_header, read_custom_header
from postroom.core.contacts.types import FieldType, NewField

_NAMES = st.text(min_size=1) | st.text(alphabet=';,"= ab\n', min_size=1, max_size=8)
_STATES = st.sampled_from(["subscribed", "unsubscribed", "pending"])


@settings(max_examples=1_000)
@given(st.lists(_NAMES, max_size=5))
def test_names_come_back(names: list[str]) -> None:
    assert split_cells(join_cells(names)) == [name for name in names if name]


@settings(max_examples=1_000)
@given(st.lists(st.tuples(_NAMES, _STATES), max_size=5))
def test_names_with_states_come_back(pairs: list[tuple[str, str]]) -> None:
    assert split_states(join_states(pairs)) == pairs


@settings(max_examples=500)
@given(st.text() | st.text(alphabet=';,"= ab\n', max_size=12))
def test_any_cell_can_be_read(cell: str) -> None:
    split_cells(cell)
    split_states(cell)


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("a; b ,c", ["a", "b", "c"]),
        (";;a;", ["a"]),
        ('"a;b"; c', ["a;b", "c"]),
        ('"say ""hi"""', ['say "hi"']),
        ('5" pipe; b', ['5" pipe', "b"]),
        ("", []),
    ],
)
def test_cells_as_people_type_them(cell: str, names: list[str]) -> None:
    assert split_cells(cell) == names


@pytest.mark.parametrize(
    ("cell", "pairs"),
    [
        ("News=subscribed;Old", [("News", "subscribed"), ("Old", "")]),
        ('"a=b"=pending', [("a=b", "pending")]),
        ('"a, b" = unsubscribed ; c=pending', [("a, b", "unsubscribed"), ("c", "pending")]),
    ],
)
def test_states_as_people_type_them(cell: str, pairs: list[tuple[str, str]]) -> None:
    assert split_states(cell) == pairs


@pytest.mark.parametrize("type_", list(FieldType))
def test_a_custom_header_says_key_and_type(type_: FieldType) -> None:
    assert read_custom_header(custom_header("age", type_)) == NewField(label="age", key="age", type=type_)


@pytest.mark.parametrize("header", ["age", "custom", "custom.", "custom.age:colour", "Custom.age:number"])
def test_other_headers_are_not_ours(header: str) -> None:
    assert read_custom_header(header) is None


def test_a_custom_header_without_type_is_a_text() -> None:
    assert read_custom_header("custom.age") == NewField(label="age", key="age", type=FieldType.TEXT)
