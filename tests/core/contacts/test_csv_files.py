"""CSV as people make it."""

import io

import pytest

from postroom.core.contacts.errors import BadImport
from postroom.core.contacts.rules.csv_files import BrokenRow, detect_format, read_header, read_rows
from postroom.core.contacts.rules.import_columns import suggest_fields, suggest_mapping
from postroom.core.contacts.types import FieldSpec, FieldType


def rows_of(data: bytes) -> list[list[str]]:
    rows = list(read_rows(io.BytesIO(data), detect_format(data)))
    return [row for row in rows if not isinstance(row, BrokenRow)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found(encoding: str, delimiter: str) -> None:
    text = delimiter.join(["Email", "Name", "City"]) + "\r\n" + delimiter.join(["a@example.com", "Jörg", "Köln"])
    assert rows_of(text.encode(encoding)) == [["Email", "Name", "City"], ["a@example.com", "Jörg", "Köln"]]


def test_stray_octets_are_read_as_windows_1252_and_the_rest_as_utf_8() -> None:
    data = "Email,Name\na@example.com,Zoë\n".encode() + b"b@example.com,J\xf6rg \x80\n"
    assert rows_of(data)[1:] == [["a@example.com", "Zoë"], ["b@example.com", "Jörg €"]]


def test_old_line_ends_and_quotes_over_several_lines_are_read() -> None:
    assert rows_of(b"a,b\r1,2\r") == [["a", "b"], ["1", "2"]]
    assert rows_of(b'a,b\n1,"x\ny"\n\n3,4\n') == [["a", "b"], ["1", "x\ny"], ["3", "4"]]


def test_a_quotation_mark_left_open_breaks_its_row_and_not_the_file() -> None:
    data = b'a,b\n1,"' + b"x" * 140_000 + b"\n" + b"2,3\n" * 3
    rows = list(read_rows(io.BytesIO(data), detect_format(data)))
    assert isinstance(rows[1], BrokenRow)
    assert rows[-1] == ["2", "3"]


def test_a_line_without_end_is_refused_before_it_fills_the_memory() -> None:
    file = io.BytesIO(b"Email\n" + b"x" * 20_000_000)
    rows = read_rows(file, detect_format(b"Email\n"))
    assert next(rows) == ["Email"]
    with pytest.raises(BadImport, match="Line 2 is longer than 1,000,000 characters"):
        next(rows)
    assert file.tell() < 2_000_000


def test_an_empty_file_and_one_without_a_header_are_refused() -> None:
    with pytest.raises(BadImport):
        detect_format(b"")
    with pytest.raises(BadImport):
        detect_format(b"\n\n")
    with pytest.raises(BadImport):
        read_header(iter(()))
    with pytest.raises(BadImport, match="501 columns"):
        read_header(iter([["x"] * 501]))


def test_headers_become_distinct_names() -> None:
    assert read_header(iter([["Email", "", "Email"]])) == ("Email", "Column 2", "Email (3)")


def test_known_headers_find_their_place_and_others_become_fields() -> None:
    headers = ("E-mail Address", "Vorname", "Lifetime value", "Interests", "Unsubscribe URL", "Tags")
    mapping = suggest_mapping(headers, [FieldSpec("ltv", "Lifetime Value", FieldType.NUMBER)])
    assert mapping == {
        "E-mail Address": "email",
        "Vorname": "first_name",
        "Lifetime value": "custom.ltv",
        "Interests": "custom.interests",
        "Unsubscribe URL": "custom.field_unsubscribe_url",
        "Tags": "tags",
    }
    row = ["a@example.com", "Ada", "1", "policy;events", "", "x"]
    new = suggest_fields(mapping, headers, [row], known_keys=["ltv"])
    assert [(field.key, field.type) for field in new] == [
        ("interests", FieldType.MULTISELECT),
        ("field_unsubscribe_url", FieldType.TEXT),
    ]
