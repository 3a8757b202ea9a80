"""The export pages, from the wish to the file."""

import pytest
from django.core.files.storage import default_storage
from django.test import Client

from postroom.core.contacts import services
from postroom.core.contacts.models import ExportRun
from postroom.core.contacts.types import ExportFormat, Selection
from postroom.core.workspaces.models import AuditEntry, Workspace
from postroom.kit import clock
from tests.factories import make_actor, make_contact, make_list

pytestmark = pytest.mark.django_db


def start(client: Client, workspace: Workspace, query: str = "", format_: str = "csv") -> str:
    """Return the address of a started export's page."""
    return str(client.post(f"/w/{workspace.slug}/exports/new/{query}", {"format": format_})["Location"])


def test_people_found_in_the_table_are_exported_and_fetched(as_colleague: Client, workspace: Workspace) -> None:
    ada = make_contact(workspace=workspace, email="ada@example.com")
    make_contact(workspace=workspace, email="bob@example.com")
    list_ = make_list(workspace=workspace, members=[ada], name="News")
    page = as_colleague.get(f"/w/{workspace.slug}/exports/new/?list={list_.pk}").content.decode()
    assert "on the list “News”" in page
    size = as_colleague.get(f"/w/{workspace.slug}/exports/size/?list={list_.pk}").content.decode()
    assert size.strip() == "1 person."

    address = start(as_colleague, workspace, f"?list={list_.pk}")
    run = ExportRun.objects.get(workspace=workspace)
    live = as_colleague.get(address).content.decode()
    assert 'hx-trigger="every 1s"' in live
    assert "Cancel the export" in live

    services.run_export(run_uid=run.uid, clock=clock.now)
    done = as_colleague.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "hx-trigger" not in done
    assert "<html" not in done
    answer = as_colleague.get(f"{address}file/")
    text = b"".join(answer).decode("utf-8-sig")  # type: ignore[arg-type]
    assert "ada@example.com" in text
    assert "bob@example.com" not in text
    assert answer["Content-Disposition"].startswith(f'attachment; filename="contacts-{workspace.slug}-')
    assert "no-store" in answer["Cache-Control"]
    assert AuditEntry.objects.filter(act="export.downloaded").count() == 1


def test_a_viewer_sees_that_there_are_exports_and_gets_none(as_viewer: Client, workspace: Workspace) -> None:
    run = services.start_export(
        workspace=workspace, selection=Selection(), format=ExportFormat.CSV, actor=make_actor(), now=clock.now()
    )
    services.run_export(run_uid=run.uid, clock=clock.now)
    base = f"/w/{workspace.slug}/exports/"
    page = as_viewer.get(base)
    assert page.status_code == 200
    assert "/file/" not in page.content.decode()
    for path in ("new/", "size/", f"{run.uid}/", f"{run.uid}/file/"):
        assert as_viewer.get(base + path).status_code == 403, path
    assert as_viewer.post(f"{base}new/", {"format": "csv"}).status_code == 403


def test_an_export_can_be_called_off(as_colleague: Client, workspace: Workspace) -> None:
    address = start(as_colleague, workspace)
    page = as_colleague.post(f"{address}cancel/", follow=True).content.decode()
    assert "Cancelled" in page
    again = as_colleague.post(f"{address}cancel/", follow=True).content.decode()
    assert "has ended already" in again


def test_a_file_that_is_gone_is_said_to_be_gone(as_colleague: Client, workspace: Workspace) -> None:
    address = start(as_colleague, workspace)
    run = ExportRun.objects.get()
    services.run_export(run_uid=run.uid, clock=clock.now)
    run.refresh_from_db()
    default_storage.delete(run.file)
    page = as_colleague.get(f"{address}file/", follow=True).content.decode()
    assert "not there any more" in page


def test_an_unknown_format_is_refused_on_the_form(as_colleague: Client, workspace: Workspace) -> None:
    page = as_colleague.post(f"/w/{workspace.slug}/exports/new/", {"format": "exe"})
    assert page.status_code == 200
    assert not ExportRun.objects.exists()


def test_people_picked_one_by_one_are_named_in_the_address(as_colleague: Client, workspace: Workspace) -> None:
    ada = make_contact(workspace=workspace, email="ada@example.com")
    start(as_colleague, workspace, f"?uid={ada.uid}&uid=nonsense")
    assert ExportRun.objects.get().selection == {"uids": [str(ada.uid)]}


@pytest.mark.parametrize("query", ["list=nonsense", "segment=nonsense", "uid=nonsense"])
def test_what_is_not_understood_is_never_read_as_everybody(
    as_colleague: Client, workspace: Workspace, query: str
) -> None:
    make_contact(workspace=workspace, email="ada@example.com")
    assert as_colleague.post(f"/w/{workspace.slug}/exports/new/?{query}", {"format": "csv"}).status_code == 404
    assert not ExportRun.objects.exists()


@pytest.mark.parametrize("query", [f"q={'x' * 1000}", f"tag={'x' * 1000}", "q=%00", "tag=%00"])
def test_whatever_was_searched_for_the_run_can_be_read(as_colleague: Client, workspace: Workspace, query: str) -> None:
    assert as_colleague.get(start(as_colleague, workspace, f"?{query}")).status_code == 200


def test_uids_that_are_none_select_nobody(as_colleague: Client, workspace: Workspace) -> None:
    assert as_colleague.post(f"/w/{workspace.slug}/exports/new/?uid=nonsense", {"format": "csv"}).status_code == 404
    assert not ExportRun.objects.exists()


def test_the_list_of_exports_costs_few_statements(
    as_colleague: Client, workspace: Workspace, django_assert_max_num_queries: object
) -> None:
    for _ in range(10):
        start(as_colleague, workspace)
    with django_assert_max_num_queries(9):  # type: ignore[operator]
        as_colleague.get(f"/w/{workspace.slug}/exports/")
