"""Workbooks: what a person's sheet says arrives as text, in a child that may not take more than it was given."""

import io
import os
import signal
import subprocess
import sys
from datetime import date, datetime, time
from pathlib import Path

import pytest
from openpyxl import Workbook

from postroom.kit import workbooks
from postroom.kit.workbooks import BadWorkbook, convert_workbook
from tests.security.bombs import MB, Member, noisy_rows, pack, sheet, workbook, write_zip


def book(**sheets: list[list[object]]) -> io.BytesIO:
    """Return a workbook with these sheets, as a spreadsheet program would save it."""
    made, file = Workbook(), io.BytesIO()
    made.remove(made["Sheet"])
    for name, rows in sheets.items():
        page = made.create_sheet(name)
        for row in rows:
            page.append(row)
    made.save(file)
    file.seek(0)
    return file


def read(file: io.BytesIO) -> dict[str, str]:
    with convert_workbook(file) as sheets:
        return {one.name: one.path.read_bytes().decode() for one in sheets}


def refusal(content: bytes) -> str:
    with pytest.raises(BadWorkbook) as caught, convert_workbook(io.BytesIO(content)):
        pass
    return str(caught.value)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('Zoë, "Z"\nand more', '"Zoë, ""Z""\nand more"'),
        (37.0, "37"),
        (37.5, "37.5"),
        (-0.1, "-0.1"),
        (491701234567, "491701234567"),
        (True, "true"),
        (False, "false"),
        (date(2026, 3, 31), "2026-03-31"),
        (datetime(2026, 3, 31), "2026-03-31"),
        (datetime(2026, 3, 31, 8, 30), "2026-03-31 08:30:00"),
        (time(8, 30), "08:30:00"),
        (None, ""),
        ("#N/A", ""),
        ("'=1+1", "'=1+1"),
    ],
)
def test_a_cell_arrives_as_a_csv_file_would_have_it(cell: object, text: str) -> None:
    assert read(book(A=[["E-mail", "What"], ["ada@example.com", cell]])) == {
        "A": f"E-mail,What\nada@example.com,{text}\n"
    }


def test_every_sheet_that_holds_something_is_there_in_its_order_without_blank_rows() -> None:
    rows = [["Email"], [None], ["ada@example.com"], [], ["bob@example.com"]]
    found = read(book(Cover=[], People=rows, Nothing=[[None]], **{"Old & new": [["Email", "Name"]]}))
    assert found == {"People": "Email\nada@example.com\nbob@example.com\n", "Old & new": "Email,Name\n"}
    assert list(found) == ["People", "Old & new"]


def test_thirty_thousand_rows_fit() -> None:
    rows: list[list[object]] = [["Email", "Name"], *([f"p{n}@example.com", f"Name {n}"] for n in range(30_000))]
    assert read(book(A=rows))["A"].count("\n") == 30_001


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (book(A=[]).getvalue(), "empty"),
        (b"PK\x03\x04 and then nothing", "damaged"),
        (write_zip([pack("xl/workbook.bin", b"")]), ".xlsb"),
        (
            write_zip([pack("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"), pack("content.xml", b"")]),
            ".ods",
        ),
        (write_zip([pack("word/document.xml", b"")]), "no workbook"),
        (workbook(pack("../../etc/cron.d/evil", b"")), "outside itself"),
        (workbook(pack("/etc/passwd", b"")), "outside itself"),
        (workbook(pack("C:\\evil", b"")), "outside itself"),
    ],
)
def test_what_is_no_table_is_refused_with_a_word_about_it(content: bytes, word: str) -> None:
    assert word in refusal(content)


def test_a_protected_workbook_is_refused() -> None:
    content = bytearray(workbook())
    start = content.index(b"PK\x01\x02")
    content[start + 8] |= 1
    assert "password" in refusal(bytes(content))


def test_no_more_than_a_few_are_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "_PATIENCE_S", 0.01)
    content = book(A=[["Email"]]).getvalue()
    for _ in range(workbooks.AT_ONCE):
        assert workbooks._SLOTS.acquire(blocking=False)
    try:
        assert "Try again" in refusal(content)
    finally:
        workbooks._SLOTS.release(workbooks.AT_ONCE)
    assert read(io.BytesIO(content))
    assert "damaged" in refusal(b"PK\x03\x04")
    assert read(io.BytesIO(content))


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    read(book(A=[["Email"]]))
    refusal(write_zip([Member("x", b"", 0)]))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("memory", "cpu_s"), [(280 * MB, 1), (40 * MB, 60)])
def test_the_child_ends_itself_when_it_takes_more_than_it_was_given(tmp_path: Path, memory: int, cpu_s: int) -> None:
    heavy = tmp_path / "heavy.xlsx"
    heavy.write_bytes(sheet(b"", noisy_rows(MB), 110))
    command = [sys.executable, "-I", "-m", "postroom.kit.workbook_child", str(heavy), str(tmp_path)]
    done = subprocess.run([*command, str(memory), str(cpu_s)], capture_output=True, check=False, timeout=60, env={})
    assert -done.returncode in (signal.SIGKILL, signal.SIGXCPU, signal.SIGABRT) or b'"refused": ""' in done.stdout
    assert not os.path.exists(tmp_path / "1.csv") or (tmp_path / "1.csv").stat().st_size < 100 * MB
