"""Typed values of custom fields, and clean texts."""

import pytest

from postroom.core.contacts.errors import BadValue
from postroom.core.contacts.rules import clean_line, clean_text, guess_type, parse_custom, parse_value
from postroom.core.contacts.types import FieldSpec, FieldType
from postroom.kit.types import JSONValue

COLOURS = ("Red", "Green")


def spec(type_: FieldType, *options: str) -> FieldSpec:
    return FieldSpec(key="it", label="It", type=type_, options=options)


@pytest.mark.parametrize(
    ("type_", "written", "kept"),
    [
        (FieldType.NUMBER, "14.95", 14.95),
        (FieldType.NUMBER, " -5 ", -5),
        (FieldType.NUMBER, 3, 3),
        (FieldType.BOOLEAN, "Yes", True),
        (FieldType.BOOLEAN, "0", False),
        (FieldType.BOOLEAN, False, False),
        (FieldType.DATE, "2026-3-1", "2026-03-01"),
        (FieldType.DATE, "31.12.2026", "2026-12-31"),
        (FieldType.DATE, "2026-03-01T10:00:00Z", "2026-03-01"),
        (FieldType.SELECT, "red", "Red"),
        (FieldType.MULTISELECT, "green; Red;green", ["Green", "Red"]),
        (FieldType.MULTISELECT, ["Red"], ["Red"]),
        (FieldType.URL, "https://example.com/x", "https://example.com/x"),
        (FieldType.EMAIL, "ADA@example.com", "ada@example.com"),
        (FieldType.TEXT, "two\r\nlines ", "two\nlines"),
        (FieldType.TEXT, 5, "5"),
        (FieldType.NUMBER, "", None),
        (FieldType.DATE, "  ", None),
        (FieldType.BOOLEAN, None, None),
    ],
)
def test_a_value_is_kept_as_its_type(type_: FieldType, written: JSONValue, kept: JSONValue) -> None:
    options = COLOURS if type_ in (FieldType.SELECT, FieldType.MULTISELECT) else ()
    found = parse_value(spec(type_, *options), written)
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize(
    ("type_", "written"),
    [
        (FieldType.NUMBER, "x"),
        (FieldType.NUMBER, "1,234"),
        (FieldType.NUMBER, "NaN"),
        (FieldType.NUMBER, "1e999"),
        (FieldType.NUMBER, float("inf")),
        (FieldType.NUMBER, 10**400),
        (FieldType.NUMBER, True),
        (FieldType.NUMBER, "٣"),
        (FieldType.BOOLEAN, "maybe"),
        (FieldType.DATE, "2026-02-30"),
        (FieldType.DATE, "03/04/2026"),
        (FieldType.DATE, 20260301),
        (FieldType.SELECT, "Blue"),
        (FieldType.MULTISELECT, "Red;Blue"),
        (FieldType.MULTISELECT, 4),
        (FieldType.URL, "javascript:alert(1)"),
        (FieldType.URL, "http://[x"),
        (FieldType.EMAIL, "nobody"),
        (FieldType.TEXT, "a\0b"),
        (FieldType.TEXT, "\ud800"),
        (FieldType.TEXT, "a" * 10_001),
        (FieldType.TEXT, ["a"]),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_the_fields_name(type_: FieldType, written: JSONValue) -> None:
    options = COLOURS if type_ in (FieldType.SELECT, FieldType.MULTISELECT) else ()
    with pytest.raises(BadValue, match="It"):
        parse_value(spec(type_, *options), written)


def test_keys_nobody_defined_are_kept() -> None:
    assert parse_custom([spec(FieldType.NUMBER)], {"it": "5", "other": "5"}) == {"it": 5, "other": "5"}


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["1", "2.5", ""], FieldType.NUMBER),
        (["1", "0"], FieldType.NUMBER),
        (["true", "false", ""], FieldType.BOOLEAN),
        (["2026-01-01", "2025-12-31"], FieldType.DATE),
        (["policy;events", "policy"], FieldType.MULTISELECT),
        (["1", "x"], FieldType.TEXT),
        (["", ""], FieldType.TEXT),
        (["Mind the gap; it is wide.; and so forth, until the very end of the line"], FieldType.TEXT),
    ],
)
def test_a_column_is_typed_by_what_it_holds(values: list[str], type_: FieldType) -> None:
    assert guess_type(values) == type_


def test_marks_nobody_sees_are_taken_out_and_joiners_stay() -> None:
    assert clean_line("\u202eevil\u200b\ufeff", label="Name") == "evil"
    assert clean_line("\tTab\x0b  b\x07", label="Name") == "Tab b"
    assert clean_line("👩\u200d🚀", label="Name") == "👩\u200d🚀"
    assert clean_line("می\u200cخواهم", label="Name") == "می\u200cخواهم"
    assert clean_text("a\x07\nb", label="Notes") == "a \nb"
