"""S16: no cell of any file that we write runs as a formula in a spreadsheet; phones and numbers survive it."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from django.core.files.storage import default_storage
from django.test import override_settings
from openpyxl import load_workbook

from postroom.core.contacts import selectors
from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import Contact
from postroom.core.contacts.rules.formulas import restore
from postroom.core.contacts.types import (
    ExportFormat,
    ImportMapping,
    NewContact,
    NewField,
    Selection,
    SuppressionReason,
    SuppressionScope,
    Upload,
)
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.factories import NOW, make_workspace

pytestmark = pytest.mark.django_db

SIGNS: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
PREFIXES: Final = ("", "'", '"', " ", "\u00a0", "\u200b", "\"'", "\n")
PAYLOADS: Final = tuple(f"{prefix}{sign}cmd|' /C calc'!A0" for prefix in PREFIXES for sign in SIGNS)
HARMLESS: Final = ("+49 30 901820", "-5", "+1 (555) 010-0199", "-0.25")


@pytest.fixture(autouse=True)
def storage(tmp_path: Path) -> Iterator[None]:
    with override_settings(MEDIA_ROOT=tmp_path):
        yield


def is_formula(cell: str) -> bool:
    """Judge as the most credulous spreadsheet: whatever stands before the sign and cannot be seen is dropped."""
    if cell in HARMLESS:
        return False
    return cell[:1] in {"\t", "\r"} or cell.lstrip(' \n\u00a0\u200b\u200e\ufeff"').startswith(SIGNS)


def cells_of(text: str, delimiter: str = ",") -> list[str]:
    return [
        cell for row in csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=delimiter) for cell in row
    ]


def make_people(workspace: Workspace) -> None:
    """Store a person for each payload, who has it in every place that takes a text."""
    contacts.create_field(workspace=workspace, new=NewField(label="Motto", key="motto"), actor=SYSTEM, now=NOW)
    for number, payload in enumerate((*PAYLOADS, *HARMLESS)):
        new = NewContact(
            email=f"p{number}@example.com",
            first_name=payload,
            phone=payload[:40],
            custom={"motto": payload},
            tags=(f"{payload}",),
        )
        contacts.create_contact(workspace=workspace, new=new, actor=SYSTEM, now=NOW)
    # Rows of older days may hold what today's cleaning takes away.
    Contact.objects.filter(email="p4@example.com").update(company="\t=1", last_name="\r=1")


@pytest.mark.parametrize("format_", list(ExportFormat))
def test_no_cell_of_an_export_is_a_formula(format_: ExportFormat) -> None:
    workspace = make_workspace()
    make_people(workspace)
    run = contacts.start_export(workspace=workspace, selection=Selection(), format=format_, actor=SYSTEM, now=NOW)
    contacts.run_export(run_uid=run.uid, clock=lambda: NOW)
    run.refresh_from_db()
    with default_storage.open(run.file, "rb") as file:
        octets = file.read()
    if format_ is ExportFormat.CSV:
        cells = cells_of(octets.decode("utf-8-sig"))
    else:
        sheet = load_workbook(io.BytesIO(octets)).active
        assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
        cells = [cell for row in sheet.iter_rows(values_only=True) for cell in row if isinstance(cell, str)]
    risky = [cell for cell in cells if cell.startswith("'")]
    assert len(risky) > 3 * len(PAYLOADS) // 2
    assert [cell for cell in cells if is_formula(cell)] == []
    assert set(HARMLESS) <= set(cells)
    print(f"S16 export {format_.value}: {len(cells)} cells, {len(risky)} neutralised, 0 formulas")  # noqa: T201


def test_no_cell_of_an_error_file_is_a_formula() -> None:
    workspace = make_workspace()
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["Email", "=Header", "Note"])
    writer.writerows([payload, payload, payload] for payload in (*PAYLOADS, *HARMLESS))
    run = contacts.start_import(
        workspace=workspace,
        upload=Upload(io.BytesIO(text.getvalue().encode()), "people.csv"),
        mapping=ImportMapping(columns={"Email": "email"}),
        actor=SYSTEM,
        now=NOW,
    )
    contacts.run_import(run_uid=run.uid, clock=lambda: NOW)
    found = "".join(selectors.iter_error_file(workspace=workspace, uid=run.uid))
    cells = cells_of(found)
    assert len(cells) > 3 * len(PAYLOADS)
    assert [cell for cell in cells if is_formula(cell)] == []
    assert set(PAYLOADS) <= {restore(cell) for cell in cells} | {cell.strip() for cell in map(restore, cells)}


def test_no_cell_of_a_suppression_file_is_a_formula() -> None:
    workspace = make_workspace()
    for number, payload in enumerate(PAYLOADS):
        contacts.suppress_address(
            workspace=workspace,
            email=f"=p{number}@example.com",
            scope=SuppressionScope.WORKSPACE,
            reason=SuppressionReason.MANUAL,
            detail=payload,
            actor=SYSTEM,
            now=NOW,
        )
    cells = cells_of("".join(selectors.suppression_files.iter_suppression_file(workspace=workspace)))
    assert len(cells) > 4 * len(PAYLOADS)
    assert [cell for cell in cells if is_formula(cell)] == []
