"""The file of refused rows: complete, harmless in a spreadsheet, and good for a second try."""

import csv
import io

import pytest

from postroom.core.contacts import selectors, services
from postroom.core.contacts.models import Contact, ImportRowError, ImportRun
from postroom.core.contacts.rules.error_files import ERROR_HEADERS
from postroom.core.contacts.types import ImportMapping, Upload
from postroom.core.workspaces.models import Workspace
from postroom.kit import clock
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace(db: None) -> Workspace:
    return make_workspace()


def run_import(workspace: Workspace, content: bytes, mapping: ImportMapping | None = None) -> ImportRun:
    sample = selectors.read_sample(file=io.BytesIO(content), workspace=workspace)
    upload = Upload(io.BytesIO(content), "people.csv")
    run = services.start_import(
        workspace=workspace,
        upload=upload,
        mapping=mapping or ImportMapping(sample.suggested),
        actor=make_actor(),
        now=NOW,
    )
    services.run_import(run_uid=run.uid, clock=clock.now)
    run.refresh_from_db()
    return run


def error_file(workspace: Workspace, run: ImportRun) -> str:
    return "".join(selectors.iter_error_file(workspace=workspace, uid=run.uid))


def rows_of(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter))


def test_it_holds_every_column_of_the_refused_rows_and_what_was_wrong(workspace: Workspace) -> None:
    content = b'Email,Name,Note\nada@example.com,Ada,\nnobody,"Bob, the ""B""","two\nlines"\n,Nameless,x\n'
    run = run_import(workspace, content)
    head, *rows = rows_of(error_file(workspace, run))
    assert head == ["Email", "Name", "Note", *ERROR_HEADERS]
    assert [row[:5] for row in rows] == [
        ["nobody", 'Bob, the "B"', "two\nlines", "2", "Email"],
        ["", "Nameless", "x", "3", "Email"],
    ]
    assert all(row[5] for row in rows)


def test_mended_it_is_imported_as_it_is_and_everybody_is_there(workspace: Workspace) -> None:
    first = run_import(workspace, b"Email;Shoe size\nada@example.com;37\nbob@example;44\neve@example.com;38\n")
    assert (first.created_rows, first.error_rows) == (2, 1)
    mended = error_file(workspace, first).replace("bob@example", "bob@example.com")
    second = run_import(workspace, mended.encode())
    assert (second.created_rows, second.error_rows) == (1, 0)
    assert sorted(second.mapping["columns"]) == ["Email", "Shoe size"]
    assert Contact.objects.get(email="bob@example.com").custom == {"shoe_size": 44}


def test_an_error_file_with_errors_does_not_grow(workspace: Workspace) -> None:
    first = run_import(workspace, b"Email,Name\nnobody,A\n")
    second = run_import(workspace, error_file(workspace, first).encode())
    assert rows_of(error_file(workspace, second)) == rows_of(error_file(workspace, first))


def test_no_cell_of_it_is_a_formula(workspace: Workspace) -> None:
    run = run_import(workspace, b'Email,Name\n=cmd|1,"=HYPERLINK(""x"")"\nnobody,+49 30 1234\n')
    _, formula, phone = rows_of(error_file(workspace, run))
    assert formula[:2] == ["'=cmd|1", '\'=HYPERLINK("x")']
    assert phone[1] == "+49 30 1234"


def test_a_row_with_too_many_cells_shows_them(workspace: Workspace) -> None:
    run = run_import(workspace, b"Email,Name\nada@example.com,Ada,Lovelace,London\n")
    row = rows_of(error_file(workspace, run))[1]
    assert row[:3] == ["ada@example.com", "Ada", "1"]
    assert row[5:] == ["Lovelace", "London"]


def test_a_long_row_is_there_whole(workspace: Workspace) -> None:
    note = "long " * 5_000
    run = run_import(workspace, f"Email,Note\nnobody,{note}\n".encode())
    assert rows_of(error_file(workspace, run))[1][1] == note


def test_many_rows_come_in_pieces_with_few_statements(
    workspace: Workspace, django_assert_max_num_queries: object
) -> None:
    run = run_import(workspace, b"Email\nnobody\n")
    ImportRowError.objects.bulk_create(
        ImportRowError(run=run, row_number=number, reason="No.", raw="nobody") for number in range(2, 2_502)
    )
    with django_assert_max_num_queries(5):  # type: ignore[operator]
        pieces = list(selectors.iter_error_file(workspace=workspace, uid=run.uid))
    assert len(pieces) == 4
    assert len(rows_of("".join(pieces))) == 2_502


def test_the_answers_for_a_file_of_the_same_columns_are_remembered(workspace: Workspace) -> None:
    mapping = ImportMapping({"Email": "email"}, tags=("fair",), constants={"language": "de"}, on_known="skip")
    run = run_import(workspace, b"Email,Name\nada@example.com,Ada\nnobody,B\n", mapping)
    for headers in (["Email", "Name"], ["Name", "Email"], ["Email", "Name", *ERROR_HEADERS]):
        earlier = selectors.find_earlier_import(workspace=workspace, headers=headers)
        assert earlier is not None
        assert earlier.filename == run.filename
        assert earlier.mapping == mapping
    assert selectors.find_earlier_import(workspace=workspace, headers=["Email"]) is None
    assert selectors.find_earlier_import(workspace=make_workspace(), headers=["Email", "Name"]) is None
