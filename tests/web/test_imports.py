"""The import pages, from the upload to the rows that were refused."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from openpyxl import Workbook

from postroom.core.contacts import services
from postroom.core.contacts.models import Contact, Field, ImportRowError, ImportRun, List
from postroom.core.contacts.types import ContactChanges, ImportStatus, MemberStatus
from postroom.core.workspaces.models import User, Workspace
from postroom.core.workspaces.types import Actor, Door
from postroom.kit import clock

pytestmark = pytest.mark.django_db
HARD = Path(__file__).resolve().parent.parent / "data" / "contacts-hard.csv"
SMALL = b"E-mail,First name,Shoe size,Tags\nada@example.com,Ada,37,a;b\nnot-an-address,Bob,44,\n"


def upload(client: Client, workspace: Workspace, content: bytes, name: str = "people.csv") -> HttpResponse:
    file = SimpleUploadedFile(name, content, content_type="text/csv")
    return client.post(f"/w/{workspace.slug}/imports/new/", {"file": file})


def accept_suggestions(client: Client, address: str, **changes: str) -> HttpResponse:
    form = client.get(address).context["form"]
    suggested = {column.html_name: column.initial for column, _ in form.columns()}
    return client.post(address, {**suggested, "list_id": "", "new_list": "", "tags": "", "act": "start", **changes})


def make_book(**sheets: list[list[object]]) -> bytes:
    book, file = Workbook(), io.BytesIO()
    book.remove(book["Sheet"])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(file)
    return file.getvalue()


def import_file(client: Client, workspace: Workspace, content: bytes, **changes: str) -> ImportRun:
    """Take a file all the way through; return its import, done."""
    location = accept_suggestions(client, upload(client, workspace, content)["Location"], **changes)["Location"]
    run = ImportRun.objects.get(uid=location.rstrip("/").rpartition("/")[2])
    services.run_import(run_uid=run.uid, clock=clock.now)
    run.refresh_from_db()
    return run


def test_a_file_is_mapped_imported_and_explained(as_colleague: Client, workspace: Workspace) -> None:
    mapping = upload(as_colleague, workspace, SMALL)["Location"]
    page = as_colleague.get(mapping).content.decode()
    assert "Shoe size" in page
    assert "37" in page

    started = accept_suggestions(as_colleague, mapping, new_list="Everybody", tags="2026, fair")
    run = ImportRun.objects.get(workspace=workspace)
    assert started["Location"] == f"/w/{workspace.slug}/imports/{run.uid}/"
    live = as_colleague.get(started["Location"]).content.decode()
    assert 'hx-trigger="every 1s"' in live

    services.run_import(run_uid=run.uid, clock=clock.now)
    done = as_colleague.get(started["Location"], headers={"HX-Request": "true"}).content.decode()
    assert "hx-trigger" not in done
    assert "not-an-address" in done
    assert "rows a second" in done
    assert "<html" not in done
    ada = Contact.objects.get(email="ada@example.com")
    assert ada.custom == {"shoe_size": 37}
    assert sorted(ada.tag_links.values_list("tag__name", flat=True)) == ["2026", "a", "b", "fair"]
    assert List.objects.get().members.get().contact == ada
    assert Field.objects.get().label == "Shoe size"


def test_the_hard_file_passes_through_the_pages(as_owner: Client, workspace: Workspace) -> None:
    mapping = upload(as_owner, workspace, HARD.read_bytes(), "contacts-hard.csv")["Location"]
    address = accept_suggestions(as_owner, mapping)["Location"]
    run = ImportRun.objects.get()
    services.run_import(run_uid=run.uid, clock=clock.now)
    run.refresh_from_db()
    assert run.status == ImportStatus.DONE
    assert run.error_rows > 0
    assert run.processed_rows == run.created_rows + run.updated_rows + run.error_rows
    page = as_owner.get(address).content.decode()
    assert "Rows that were refused" in page
    assert page.count("<tr>") == 1 + run.error_rows


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_a_file_without_headings_is_refused_at_once(as_owner: Client, workspace: Workspace, content: bytes) -> None:
    response = upload(as_owner, workspace, content)
    assert response.status_code == 200
    assert response.context["form"].errors
    assert not default_storage.exists(f"staged/{workspace.pk}")


def test_a_mapping_without_an_address_column_is_explained(as_owner: Client, workspace: Workspace) -> None:
    mapping = upload(as_owner, workspace, b"Shoe size\n37\n")["Location"]
    response = accept_suggestions(as_owner, mapping, column_0="")
    assert response.status_code == 200
    assert response.context["form"].non_field_errors()
    assert not ImportRun.objects.exists()


def test_a_new_list_of_a_name_in_use_is_refused_and_nothing_is_made(as_owner: Client, workspace: Workspace) -> None:
    services.create_list(workspace=workspace, name="Everybody", actor=Actor(Door.WEB), now=clock.now())
    mapping = upload(as_owner, workspace, SMALL)["Location"]
    response = accept_suggestions(as_owner, mapping, new_list="everybody")
    assert "already a list" in response.context["form"].non_field_errors()[0]
    assert not Field.objects.exists()
    assert not ImportRun.objects.exists()
    assert accept_suggestions(as_owner, mapping, new_list="Others").status_code == 302


def test_an_upload_can_be_mapped_once_by_its_own_workspace(
    as_owner: Client, as_stranger: Client, workspace: Workspace, stranger: User
) -> None:
    mapping = upload(as_owner, workspace, SMALL)["Location"]
    token = mapping.split("/")[-2]
    theirs = Workspace.objects.get(memberships__user=stranger)
    assert as_stranger.get(f"/w/{theirs.slug}/imports/map/{token}/").status_code == 404
    assert accept_suggestions(as_owner, mapping).status_code == 302
    assert as_owner.get(mapping).status_code == 404


def test_an_import_of_another_workspace_is_unknown_here(
    as_owner: Client, workspace: Workspace, as_stranger: Client, stranger: User
) -> None:
    accept_suggestions(as_owner, upload(as_owner, workspace, SMALL)["Location"])
    run = ImportRun.objects.get()
    theirs = Workspace.objects.get(memberships__user=stranger)
    assert as_stranger.get(f"/w/{theirs.slug}/imports/{run.uid}/").status_code == 404


def test_what_it_would_do_is_shown_before_anything_is_done(as_owner: Client, workspace: Workspace) -> None:
    mapping = upload(as_owner, workspace, SMALL)["Location"]
    answer = accept_suggestions(as_owner, mapping, act="check", new_list="Everybody", tags="fair", on_known="skip")
    page = answer.content.decode()
    assert "All 2 rows of the file were read" in page
    assert "Everybody goes on the list “Everybody” as subscribed" in page
    assert "not-an-address" in page
    assert answer.context["forecast"].created == 1
    assert not ImportRun.objects.exists()
    assert not List.objects.exists()


def test_the_answers_travel_from_the_mapping_to_the_start_and_back(as_owner: Client, workspace: Workspace) -> None:
    mapping = upload(as_owner, workspace, SMALL)["Location"]
    said = {"tags": "fair", "constant_field_0": "language", "constant_value_0": "de", "list_status": "unsubscribed"}
    checked = accept_suggestions(as_owner, mapping, act="check", new_list="Old", accepts_unaddressed="on", **said)
    hidden = dict(checked.context["form"].answers())
    changed = as_owner.post(mapping, {**hidden, "act": "change"})
    assert changed.templates[0].name == "web/imports/map.html"
    assert changed.context["form"]["tags"].value() == "fair"
    assert changed.context["form"]["constant_value_0"].value() == "de"
    as_owner.post(mapping, {**hidden, "act": "start"})
    run = ImportRun.objects.get()
    assert run.mapping["constants"] == {"language": "de"}
    assert run.mapping["list_status"] == "unsubscribed"
    assert run.mapping["accepts_unaddressed"] is True
    services.run_import(run_uid=run.uid, clock=clock.now)
    assert List.objects.get().members.get().status == MemberStatus.UNSUBSCRIBED
    assert Contact.objects.get().language == "de"


def test_a_workbook_is_imported_sheet_by_sheet(as_owner: Client, workspace: Workspace) -> None:
    guests: list[list[object]] = [["Email", "Age"], ["ada@example.com", 36.0]]
    speakers: list[list[object]] = [["Mail", "Topic"], ["grace@example.com", "Compilers"]]
    content = make_book(Cover=[], Guests=guests, Speakers=speakers)
    mapping = upload(as_owner, workspace, content, "fair.xlsx")["Location"]
    first = as_owner.get(mapping)
    assert [sheet.name for sheet in first.context["staged"].sheets] == ["Guests", "Speakers"]
    assert "Age" in first.content.decode()
    started = accept_suggestions(as_owner, f"{mapping}?sheet=2")
    run = ImportRun.objects.get()
    assert started["Location"].endswith(f"{run.uid}/")
    assert run.filename == "fair.xlsx (Speakers)"
    services.run_import(run_uid=run.uid, clock=clock.now)
    assert Contact.objects.get().custom == {"topic": "Compilers"}
    assert not default_storage.listdir(f"staged/{workspace.pk}")[1]


def test_a_sheet_that_is_no_table_is_passed_over(as_owner: Client, workspace: Workspace) -> None:
    wide: list[list[object]] = [[f"c{number}" for number in range(600)]]
    good: list[list[object]] = [["Email"], ["ada@example.com"]]
    mapping = upload(as_owner, workspace, make_book(Wide=wide, Good=good), "fair.xlsx")["Location"]
    assert [sheet.name for sheet in as_owner.get(mapping).context["staged"].sheets] == ["Good"]
    assert as_owner.get(f"{mapping}?sheet=2").status_code == 200
    refused = upload(as_owner, workspace, make_book(Wide=wide), "fair.xlsx")
    assert "600 columns" in refused.context["form"].non_field_errors()[0]


def test_a_file_of_five_hundred_columns_can_be_mapped(as_owner: Client, workspace: Workspace) -> None:
    names = ["Email", *(f"Answer {number}" for number in range(499))]
    content = f"{','.join(names)}\nada@example.com{',x' * 499}\n".encode()
    mapping = upload(as_owner, workspace, content)["Location"]
    page = as_owner.get(mapping).content
    assert len(page) < 3_000_000
    checked = accept_suggestions(as_owner, mapping, act="check")
    assert len(checked.context["forecast"].sample[0].changes) == 499


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on", ".xls"),
        (b"\x1f\x8b\x08 and so on", ".gz"),
        (b"PK\x03\x04 and so on", "damaged"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_another_kind_of_file_is_refused_with_what_to_do(
    as_owner: Client, workspace: Workspace, content: bytes, word: str
) -> None:
    response = upload(as_owner, workspace, content, "people.csv")
    assert response.status_code == 200
    assert word in response.context["form"].non_field_errors()[0]
    assert not default_storage.exists(f"staged/{workspace.pk}")


def test_the_refused_rows_come_as_a_file(as_colleague: Client, as_owner: Client, workspace: Workspace) -> None:
    run = import_file(as_owner, workspace, SMALL)
    response = as_colleague.get(f"/w/{workspace.slug}/imports/{run.uid}/refused.csv")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="people - refused rows.csv"'
    assert response["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert text.splitlines()[1].startswith("not-an-address,Bob,44,,2,E-mail,")


def test_the_answers_of_the_last_such_file_are_proposed_and_can_be_dropped(
    as_owner: Client, workspace: Workspace
) -> None:
    import_file(as_owner, workspace, SMALL, tags="fair", new_list="Guests", column_2="")
    mapping = upload(as_owner, workspace, SMALL)["Location"]
    proposed = as_owner.get(mapping)
    assert "You imported such a file before" in proposed.content.decode()
    assert proposed.context["form"]["tags"].value() == "fair"
    assert proposed.context["form"]["column_2"].value() == ""
    assert proposed.context["form"]["list_id"].value() == List.objects.get().pk
    fresh = as_owner.get(f"{mapping}?fresh=1")
    assert "You imported such a file before" not in fresh.content.decode()
    assert fresh.context["form"]["tags"].value() == ""
    assert fresh.context["form"]["column_2"].value() == "custom.shoe_size"


def test_a_list_that_is_gone_is_not_proposed(as_owner: Client, workspace: Workspace) -> None:
    import_file(as_owner, workspace, SMALL, new_list="Guests")
    List.objects.all().delete()
    mapping = upload(as_owner, workspace, SMALL)["Location"]
    assert accept_suggestions(as_owner, mapping).status_code == 302


def test_the_live_part_asks_for_the_whole_page_when_it_is_over(as_owner: Client, workspace: Workspace) -> None:
    location = accept_suggestions(as_owner, upload(as_owner, workspace, SMALL)["Location"])["Location"]
    live = as_owner.get(location, headers={"HX-Request": "true"})
    assert "HX-Refresh" not in live
    services.run_import(run_uid=ImportRun.objects.get().uid, clock=clock.now)
    assert as_owner.get(location, headers={"HX-Request": "true"})["HX-Refresh"] == "true"


def test_a_viewer_may_look_but_neither_upload_nor_download_nor_stop_nor_undo(
    as_viewer: Client, as_owner: Client, workspace: Workspace
) -> None:
    run = import_file(as_owner, workspace, SMALL)
    here = f"/w/{workspace.slug}/imports/"
    assert upload(as_viewer, workspace, SMALL).status_code == 403
    for act in ("cancel", "undo"):
        assert as_viewer.post(f"{here}{run.uid}/{act}/").status_code == 403
    assert as_viewer.get(f"{here}{run.uid}/refused.csv").status_code == 403
    assert "Undo this import" not in as_viewer.get(f"{here}{run.uid}/").content.decode()
    assert "Undo this import" in as_owner.get(f"{here}{run.uid}/").content.decode()


def test_the_mapping_and_the_forecast_cost_a_few_statements(
    as_owner: Client, workspace: Workspace, django_assert_max_num_queries: object
) -> None:
    rows = b"".join(b"p%d@example.com,%d\n" % (number, number) for number in range(3_000))
    mapping = upload(as_owner, workspace, b"Email,Number\n" + rows)["Location"]
    with django_assert_max_num_queries(11):  # type: ignore[operator]
        as_owner.get(mapping)
    with django_assert_max_num_queries(15):  # type: ignore[operator]
        as_owner.post(mapping, {"column_0": "email", "act": "check"})


def test_an_import_is_stopped_once(as_owner: Client, workspace: Workspace) -> None:
    location = accept_suggestions(as_owner, upload(as_owner, workspace, SMALL)["Location"])["Location"]
    assert "Stop this import" in as_owner.get(location).content.decode()
    stopped = as_owner.post(f"{location}cancel/", follow=True).content.decode()
    assert "The import is stopped" in stopped
    assert "Cancelled" in stopped
    assert "Stop this import" not in stopped
    services.run_import(run_uid=ImportRun.objects.get().uid, clock=clock.now)
    assert not Contact.objects.exists()
    assert "has ended already" in as_owner.post(f"{location}cancel/", follow=True).content.decode()


def test_an_undo_says_who_goes_and_who_stays_and_then_does_it(as_owner: Client, workspace: Workspace) -> None:
    rows = b"".join(b"p%d@example.com,%d\n" % (number, number) for number in range(5))
    run = import_file(as_owner, workspace, b"Email,Number\n" + rows)
    here = f"/w/{workspace.slug}/imports/{run.uid}/"
    kept = Contact.objects.get(email="p3@example.com")
    changes = ContactChanges(first_name="Known")
    services.update_contact(
        workspace=workspace,
        uid=kept.uid,
        changes=changes,
        actor=Actor(Door.WEB),
        now=clock.now() + timedelta(seconds=1),
    )
    page = as_owner.get(f"{here}undo/").content.decode()
    assert "<dt>Would be deleted</dt><dd>4</dd>" in page
    assert "<dt>Would stay: changed since</dt><dd>1</dd>" in page

    as_owner.post(f"{here}undo/")
    assert 'hx-trigger="every 1s"' in as_owner.get(here).content.decode()
    services.run_import_undo(run_uid=run.uid, clock=clock.now)
    done = as_owner.get(here).content.decode()
    assert "Undone" in done
    assert "<dt>Taken back</dt><dd>4</dd>" in done
    assert "1 changed since" in done
    assert "Undo this import" not in done
    assert Contact.objects.get().email == "p3@example.com"
    assert as_owner.get(f"{here}undo/").status_code == 302


def test_a_live_page_costs_the_same_however_many_rows_were_refused(
    as_owner: Client, workspace: Workspace, django_assert_max_num_queries: object
) -> None:
    run = import_file(as_owner, workspace, SMALL)
    rows = [ImportRowError(run=run, row_number=number, reason="No.") for number in range(3, 1_003)]
    ImportRowError.objects.bulk_create(rows)
    ImportRun.objects.update(error_rows=1_001, status=ImportStatus.RUNNING)
    address = f"/w/{workspace.slug}/imports/{run.uid}/"
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        page = as_owner.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "Page 1 · 1001 in all" in page
    assert "No." in as_owner.get(f"{address}?page=21").content.decode()
