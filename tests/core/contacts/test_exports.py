"""Exports: everything about the people chosen, in a file that is whole, harmless, and gone in time."""

import csv
import io
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from openpyxl import load_workbook

from postroom.core.contacts import selectors, services
from postroom.core.contacts.errors import ExportGone, ExportOver, NoSuchExport, NoSuchSegment
from postroom.core.contacts.models import ContactWorkspace, ExportRun
from postroom.core.contacts.types import (
    ConsentState,
    ExportFormat,
    MemberStatus,
    RunStatus,
    Selection,
    SuppressionReason,
    SuppressionScope,
)
from postroom.core.workspaces.models import AuditEntry, Workspace
from tests.core.contacts.people import make_contact, make_fields, make_list, set_member
from tests.factories import NOW, make_actor, make_organization, make_workspace

pytestmark = pytest.mark.django_db


def export(
    workspace: Workspace, selection: Selection | None = None, format_: ExportFormat = ExportFormat.CSV
) -> ExportRun:
    """Return a finished export."""
    run = services.start_export(
        workspace=workspace, selection=selection or Selection(), format=format_, actor=make_actor(), now=NOW
    )
    services.run_export(run_uid=run.uid, clock=lambda: NOW)
    run.refresh_from_db()
    return run


def rows_of(run: ExportRun) -> list[dict[str, str]]:
    """Return the rows of an export's CSV file."""
    with default_storage.open(run.file, "rb") as file:
        return list(csv.DictReader(io.StringIO(file.read().decode("utf-8-sig"), newline="")))


def test_the_file_says_everything_about_a_person() -> None:
    workspace = make_workspace()
    make_fields(workspace)
    ada = make_contact(workspace, tags=("vip", "a;b"), age=41, vip=True, joined="2026-02-03", likes=["tea", "x;y"])
    make_list(workspace, ada)
    set_member(workspace, make_list(workspace, name="Old; news"), ada, MemberStatus.UNSUBSCRIBED)
    category = services.create_category(workspace=workspace, name="Events", slug="events", actor=make_actor(), now=NOW)
    services.set_consent(
        workspace=workspace,
        contact_id=ada.pk,
        category_id=category.pk,
        state=ConsentState.GRANTED,
        source="test",
        actor=make_actor(),
        now=NOW,
    )
    services.suppress_address(
        workspace=workspace,
        email="ada@example.com",
        scope=SuppressionScope.WORKSPACE,
        reason=SuppressionReason.MANUAL,
        detail="=asked by phone",
        actor=make_actor(),
        now=NOW,
    )
    run = export(workspace)
    assert (run.status, run.processed_rows, run.total_rows, run.expires_at) == ("done", 1, 1, NOW + timedelta(days=7))
    (row,) = rows_of(run)
    assert row == {
        "email": "ada@example.com",
        "first_name": "Ada",
        "last_name": "",
        "company": "",
        "phone": "",
        "language": "",
        "timezone": "",
        "custom.age:number": "41",
        "custom.vip:boolean": "true",
        "custom.joined:date": "2026-02-03",
        "custom.plan:select": "",
        "custom.likes:multiselect": 'tea;"x;y"',
        "custom.motto:text": "",
        "tags": 'vip;"a;b"' if row["tags"].startswith("vip") else '"a;b";vip',
        "lists": 'News=subscribed;"Old; news"=unsubscribed',
        "consents": "events=granted",
        "status": "neutral",
        "opted_out": "false",
        "suppressed": "manual",
        "suppression_detail": "'=asked by phone",
        "accounts": "",
        "created_at": NOW.isoformat(),
    }


@pytest.mark.parametrize("format_", list(ExportFormat))
def test_no_cell_of_the_file_is_a_formula(format_: ExportFormat) -> None:
    workspace = make_workspace()
    make_fields(workspace)
    make_contact(workspace, "=cmd@example.com", tags=("=tag",), motto="=1+1")
    make_contact(workspace, "b@example.com", motto="\t@SUM(A1)")
    make_list(workspace, make_contact(workspace, "c@example.com"), name="＝list")
    run = export(workspace, format_=format_)
    if format_ is ExportFormat.CSV:
        cells = [cell for row in rows_of(run) for cell in (*row, *row.values())]
    else:
        with default_storage.open(run.file, "rb") as file:
            cells = [str(cell or "") for row in load_workbook(file).active.iter_rows(values_only=True) for cell in row]
    assert not [cell for cell in cells if cell.lstrip().startswith(("=", "@", "+", "-", "＝"))]
    assert [cell for cell in cells if cell.startswith("'")]


def test_numbers_are_numbers_in_a_workbook() -> None:
    workspace = make_workspace()
    make_fields(workspace)
    make_contact(workspace, age=-5.5)
    with default_storage.open(export(workspace, format_=ExportFormat.XLSX).file, "rb") as file:
        header, row = load_workbook(file).active.iter_rows(values_only=True)
    assert row[header.index("custom.age:number")] == -5.5


def test_values_that_nobody_defined_are_exported_too() -> None:
    workspace = make_workspace()
    make_contact(workspace, score=1e22, nested={"a": [1]}, words=["x"], yes=True)
    (row,) = rows_of(export(workspace))
    found = {header: cell for header, cell in row.items() if header.startswith("custom.")}
    assert found == {
        "custom.nested:text": '{"a": [1]}',
        "custom.score:number": "1" + 22 * "0",
        "custom.words:multiselect": "x",
        "custom.yes:boolean": "true",
    }


def test_only_the_people_chosen_are_exported() -> None:
    workspace = make_workspace()
    ada, bob = make_contact(workspace, tags=("vip",)), make_contact(workspace, "bob@example.com")
    list_ = make_list(workspace, bob)
    for selection, person in (
        (Selection(uids=(str(ada.uid),)), ada),
        (Selection(tag="vip"), ada),
        (Selection(list_id=list_.pk), bob),
        (Selection(search="bob"), bob),
    ):
        assert [row["email"] for row in rows_of(export(workspace, selection))] == [person.email]


def test_people_and_words_of_other_workspaces_stay_there() -> None:
    organization = make_organization()
    workspace, other = make_workspace(organization=organization), make_workspace(organization=organization)
    make_fields(other)
    ada = make_contact(workspace)
    services.add_contact(
        workspace=other, new=services.people.NewContact(email="ada@example.com"), actor=make_actor(), now=NOW
    )
    services.update_contact(
        workspace=other,
        uid=ada.uid,
        changes=services.people.ContactChanges(custom={"motto": "theirs"}),
        actor=make_actor(),
        now=NOW,
    )
    services.tag_contact(workspace=other, uid=ada.uid, tag_name="theirs", actor=make_actor(), now=NOW)
    make_list(other, ada, name="theirs")
    make_contact(other, "bob@example.com")
    (row,) = rows_of(export(workspace))
    assert "theirs" not in str(row)
    assert not [header for header in row if header.startswith("custom.")]


def test_an_export_that_was_cut_off_starts_over() -> None:
    workspace = make_workspace()
    make_contact(workspace)
    run = services.start_export(
        workspace=workspace, selection=Selection(), format=ExportFormat.CSV, actor=make_actor(), now=NOW
    )
    ExportRun.objects.update(status=RunStatus.RUNNING, processed_rows=700, started_at=NOW)
    default_storage.save(f"exports/{run.uid}.csv", io.BytesIO(b"half a file"))
    services.run_export(run_uid=run.uid, clock=lambda: NOW)
    run.refresh_from_db()
    assert (run.status, run.processed_rows) == (RunStatus.DONE, 1)
    assert default_storage.listdir("exports")[1] == [f"{run.uid}.csv"]
    assert len(rows_of(run)) == 1


def test_an_export_called_off_makes_no_file() -> None:
    workspace = make_workspace()
    run = services.start_export(
        workspace=workspace, selection=Selection(), format=ExportFormat.CSV, actor=make_actor(), now=NOW
    )
    services.cancel_export(workspace=workspace, uid=run.uid, actor=make_actor(), now=NOW)
    services.run_export(run_uid=run.uid, clock=lambda: NOW)
    run.refresh_from_db()
    assert (run.status, run.file) == (RunStatus.CANCELLED, "")
    with pytest.raises(ExportOver):
        services.cancel_export(workspace=workspace, uid=run.uid, actor=make_actor(), now=NOW)
    with pytest.raises(ExportGone):
        services.fetch_export(workspace=workspace, uid=run.uid, actor=make_actor(), now=NOW)


def test_a_segment_deleted_meanwhile_fails_the_export_and_says_so() -> None:
    workspace = make_workspace()
    with pytest.raises(NoSuchSegment):
        export(workspace, Selection(segment_id=7))
    run = services.start_export(
        workspace=workspace, selection=Selection(), format=ExportFormat.CSV, actor=make_actor(), now=NOW
    )
    ExportRun.objects.update(selection={"segment_id": 7})
    services.run_export(run_uid=run.uid, clock=lambda: NOW)
    run.refresh_from_db()
    assert (run.status, run.error) == (RunStatus.FAILED, "There is no such segment in this workspace.")


def test_who_started_and_who_fetched_an_export_is_written_down() -> None:
    workspace = make_workspace()
    run = export(workspace, Selection(search="ada@example.com"))
    services.fetch_export(workspace=workspace, uid=run.uid, actor=make_actor(), now=NOW)
    trail = AuditEntry.objects.filter(object_type="export").order_by("pk")
    assert [entry.act for entry in trail] == ["export.started", "export.finished", "export.downloaded"]
    assert "ada" not in str([entry.after for entry in trail])


def test_a_file_is_kept_for_a_week() -> None:
    workspace = make_workspace()
    run = export(workspace)
    assert services.forget_old_exports(now=NOW + timedelta(days=6)) == 0
    assert selectors.is_export_ready(run, now=NOW + timedelta(days=6))
    late = NOW + timedelta(days=7)
    with pytest.raises(ExportGone):
        services.fetch_export(workspace=workspace, uid=run.uid, actor=make_actor(), now=late)
    assert services.forget_old_exports(now=late) == 1
    assert not default_storage.exists(run.file)
    services.forget_old_exports(now=NOW + timedelta(days=91))
    with pytest.raises(NoSuchExport):
        selectors.get_export(workspace=workspace, uid=run.uid)


def test_strangers_see_no_export() -> None:
    run = export(make_workspace())
    stranger = make_workspace()
    for act in (services.cancel_export, services.fetch_export):
        with pytest.raises(NoSuchExport):
            act(workspace=stranger, uid=run.uid, actor=make_actor(), now=NOW)


def test_a_chunk_costs_the_same_statements_whatever_its_size(django_assert_num_queries: object) -> None:
    workspace = make_workspace()
    people = [make_contact(workspace, f"p{n}@example.com", tags=("a", "b")) for n in range(30)]
    reader = selectors.export_rows.PeopleReader(workspace=workspace)
    with django_assert_num_queries(6):  # type: ignore[operator]
        assert len(list(reader.read([person.pk for person in people]))) == 30


def test_a_person_who_left_during_the_export_is_not_in_it() -> None:
    workspace = make_workspace()
    ada = make_contact(workspace)
    reader = selectors.export_rows.PeopleReader(workspace=workspace)
    ContactWorkspace.objects.all().delete()
    assert list(reader.read([ada.pk])) == []
