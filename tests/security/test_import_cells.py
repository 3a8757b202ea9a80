"""S17: no cell costs more than its length, whatever it is mapped to; and a file of every encoding at once is read."""

import io
import time
from contextlib import suppress

import pytest

from postroom.core.contacts import selectors
from postroom.core.contacts.errors import BadRow
from postroom.core.contacts.rules.import_columns import CORE_TARGETS
from postroom.core.contacts.rules.import_rows import RowReader
from postroom.core.contacts.types import FieldSpec, FieldType, ImportMapping
from tests.factories import make_workspace

LENGTH = 50_000
"""Characters: enough for a quadratic reader to take seconds."""
PIECES = [
    *('"', ";", ",", " ", "\t", "'", "=", "@", "+", "-", "9", ".", "a", "<", "(", "\u200b", "\ufeff", "é", "\u0301"),
    *(
        '";',
        '"="',
        '""',
        "a@",
        "a.",
        "0.",
        "1e",
        "=;",
        "' ",
        "\r\n",
        "\n ",
        "<a",
        "<a@b>",
        "2026-01-01T",
        "xn--",
        "A\u0301",
    ),
]
FIELDS = {f"custom.{type_.value}": FieldSpec(key=type_.value, label="F", type=type_) for type_ in FieldType}


def make_reader(target: str) -> RowReader:
    """Return a reader that maps the second column to ``target``."""
    columns = {"Second": target} if target == "email" else {"First": "email", "Second": target}
    return RowReader(["First", "Second"], ImportMapping(columns), FIELDS.values(), categories=["news"])


def hostile_cells(piece: str) -> tuple[str, ...]:
    """Return cells made of one piece over and over: alone, behind an open quotation mark, behind an address."""
    times = LENGTH // len(piece)
    return piece * times, '"' + piece * (times - 1), "a@example.com" + piece * 99, "<" + piece * (times - 1)


@pytest.mark.parametrize("target", [*CORE_TARGETS, *FIELDS])
def test_a_hostile_cell_is_read_or_refused_in_no_time(target: str) -> None:
    reader = make_reader(target)
    for piece in PIECES:
        for cell in hostile_cells(piece):
            started = time.process_time()
            with suppress(BadRow):
                reader.read(["ada@example.com", cell])
            took = time.process_time() - started
            assert took < 0.5, f"{piece!r} took {took:.2f} s"


@pytest.mark.django_db
def test_a_file_of_every_encoding_at_once_is_read_row_by_row() -> None:
    rows = [
        "ada@example.com,Zoë".encode(),
        "bob@example.com,Zoë".encode("cp1252"),
        b"eve@example.com,\x81\x8d\x00\xff\xfe",
        "kim@example.com,Zoë".encode("utf-16-le"),
        "joe@example.com,Zoë".encode("utf-8-sig"),
        b"max@example.com,\xed\xa0\x80\xf4\x90\x80\x80",
        b"zoe@example.com,last",
    ]
    file = io.BytesIO(b"Email,Name\n" + b"\n".join(rows))
    sample = selectors.read_sample(file=file)
    forecast = selectors.forecast_import(
        workspace=make_workspace(), file=file, mapping=ImportMapping({"Email": "email", "Name": "last_name"})
    )
    assert sample.encoding == "utf-8"
    assert forecast.is_whole_file
    assert forecast.created + forecast.refused == forecast.rows_read
    names = {row.email: row.changes[0].after for row in forecast.sample if row.changes}
    assert names["ada@example.com"] == names["bob@example.com"] == "Zoë"
    assert names["zoe@example.com"] == "last"
