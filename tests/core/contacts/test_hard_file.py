"""The hard file: every row ends as a contact or as an error that says where and why."""

from pathlib import Path
from typing import Final

import pytest

from postroom.core.contacts import selectors, services
from postroom.core.contacts.models import Contact, ImportRun
from postroom.core.contacts.types import FieldScope, FieldType, ImportMapping, ImportStatus, NewField, Upload
from postroom.core.workspaces.models import Workspace
from postroom.kit.paging import PageRequest
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db

FILE: Final = Path(__file__).parents[2] / "data" / "contacts-hard.csv"
COLUMNS: Final = {
    "E-mail Address": "email",
    "First Name": "first_name",
    "Last Name": "last_name",
    "Company": "company",
    "Phone": "phone",
    "Notes": "custom.notes",
    "Score": "custom.score",
}


def import_hard_file(workspace: Workspace) -> ImportRun:
    with FILE.open("rb") as file:
        run = services.start_import(
            workspace=workspace,
            upload=Upload(file, FILE.name),
            mapping=ImportMapping(columns=COLUMNS),
            actor=make_actor(),
            now=NOW,
        )
    services.run_import(run_uid=run.uid, clock=lambda: NOW)
    run.refresh_from_db()
    return run


@pytest.fixture
def room() -> Workspace:
    workspace = make_workspace()
    for label, type_ in (("Score", FieldType.NUMBER), ("Notes", FieldType.TEXT)):
        new = NewField(label=label, type=type_, scope=FieldScope.CORE)
        services.create_field(workspace=workspace, new=new, actor=make_actor(), now=NOW)
    return workspace


def test_every_row_of_the_hard_file_ends_as_a_contact_or_an_error(room: Workspace) -> None:
    run = import_hard_file(room)
    assert (run.status, run.encoding, run.delimiter) == (ImportStatus.DONE, "utf-8-sig", ";")
    assert run.total_rows == run.processed_rows == 17
    assert (run.created_rows, run.updated_rows, run.error_rows) == (10, 2, 5)
    assert run.processed_rows == run.created_rows + run.updated_rows + run.error_rows


def test_each_error_says_row_column_and_reason(room: Workspace) -> None:
    run = import_hard_file(room)
    page = selectors.list_import_errors(workspace=room, uid=run.uid, page=PageRequest())
    assert [(error.row_number, error.column, error.reason) for error in page.items] == [
        (3, "E-mail Address", "'not-an-address' is not an e-mail address: An email address must have an @-sign."),
        (4, "E-mail Address", "There is no e-mail address."),
        (5, "Score", "Score: 'x' is not a number."),
        (8, "First Name", "First Name has 5000 characters; at most 200 fit."),
        (14, "", "The row has 3 cells more than the header: '2', '3', '4'."),
    ]
    assert page.items[1].raw == ";No;Email;;;;2"


def test_each_contact_of_the_hard_file_is_clean(room: Workspace) -> None:
    import_hard_file(room)
    rows = Contact.objects.order_by("email").values_list("email", "first_name", "last_name", "company", "custom")
    assert list(rows) == [
        ("ada@example.com", "Ada", "King", "Analytical; Engines", {"notes": "same person, other case", "score": 9}),
        ("dup@example.com", "Dup", "Two", "", {"score": 2}),
        ("emoji@example.com", "\U0001f469\u200d\U0001f680", "\U0001f680", "", {"notes": "zerowidth", "score": 5}),
        ("josé@xn--exmple-cua.com", "José", "Ñandú", "", {"notes": "EAI address", "score": 7}),
        ("latin@example.com", "Jörg", "Müller", "", {"notes": "latin-1 bytes", "score": 1}),
        ("o'brien+tag@example.com", "O'Brien", "", "", {"score": -5}),
        ("quoted@example.com", "Q", "N", "", {"score": 8}),
        ("rtl@example.com", "evil", "ש", "", {"score": 6}),
        ("short@example.com", "Short", "", "", {}),
        ("tabs@example.com", "Tab", "VT", "", {"score": 4}),
    ]


def test_a_field_nobody_defined_is_made_and_typed_by_a_look_at_the_file() -> None:
    workspace = make_workspace()
    run = import_hard_file(workspace)
    fields = {field.key: field.type for field in selectors.list_fields(workspace=workspace)}
    assert fields == {"notes": FieldType.TEXT, "score": FieldType.TEXT}
    formula = Contact.objects.get(email="=cmd|calc@example.com")
    assert (formula.first_name, formula.last_name, formula.custom["score"]) == ("=1+1", "@SUM(A1)", "x")
    assert (run.created_rows, run.updated_rows, run.error_rows) == (11, 2, 4)


def test_a_second_import_of_the_hard_file_creates_nothing(room: Workspace) -> None:
    first = import_hard_file(room)
    second = import_hard_file(room)
    assert second.created_rows == 0
    assert second.error_rows == first.error_rows
    assert second.updated_rows == first.created_rows + first.updated_rows
