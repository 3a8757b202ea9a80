"""The import pages, from the upload to the rows that could not be read."""

from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from postroom.core.contacts import services
from postroom.core.contacts.models import Contact, Field, ImportRun, List
from postroom.core.contacts.types import ImportStatus
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
