"""``postroom import``: what it would do, what it does, and how its options are read."""

import io
from pathlib import Path

import pytest
from openpyxl import Workbook
from pytest_django import Settings

from postroom.config.commands import importing
from postroom.config.commands.importing import BadMapping, ImportOrder, import_file
from postroom.core.contacts import services
from postroom.core.contacts.models import Contact, ImportRun, List
from postroom.core.contacts.types import MemberStatus
from postroom.core.workspaces.errors import WorkspaceNotFound
from postroom.core.workspaces.models import Workspace
from postroom.kit import clock
from tests.factories import make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace(settings: Settings, tmp_path: Path) -> Workspace:
    settings.MEDIA_ROOT = str(tmp_path / "store")
    return make_workspace()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("Email,Name=Nick,Age\nada@example.com,Ada,36\nnobody,Bob,1\n")
    return path


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that takes the import while the command waits."""

    def work(seconds: float) -> None:
        waiting = ImportRun.objects.last()  # none while a workbook is still being read: that waits with sleeps, too
        if waiting is not None:
            services.run_import(run_uid=waiting.uid, clock=clock.now)

    monkeypatch.setattr(importing.time, "sleep", work)


def test_a_check_says_what_would_happen_and_does_nothing(
    workspace: Workspace, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert import_file(ImportOrder(file, workspace.slug, is_check=True)) == 1
    said = capsys.readouterr().out
    assert "All 2 rows: 1 would be created, 0 updated, 1 refused. Nothing was changed." in said
    assert "row 2, Email: 'nobody' is not an e-mail address" in said
    assert not ImportRun.objects.exists()
    assert not Contact.objects.exists()


def test_a_check_of_a_good_file_ends_well(workspace: Workspace, file: Path) -> None:
    file.write_text("Email\nada@example.com\n")
    assert import_file(ImportOrder(file, workspace.slug, is_check=True)) == 0


def test_everything_that_is_said_on_the_command_line_is_done(
    workspace: Workspace, file: Path, worker: None, capsys: pytest.CaptureFixture[str]
) -> None:
    order = ImportOrder(
        file,
        workspace.slug,
        mapping=("Email=email", "Name=Nick=first_name"),
        list_name="Guests",
        tags=("fair",),
        constants=("language=de", "company=A=B"),
        is_unsubscribed=True,
    )
    assert import_file(order) == 0
    assert "2 rows: 1 created, 0 updated, 1 refused." in capsys.readouterr().out
    ada = Contact.objects.get()
    assert (ada.first_name, ada.language, ada.company, ada.custom) == ("Ada", "de", "A=B", {})
    assert List.objects.get(name="Guests").members.get().status == MemberStatus.UNSUBSCRIBED

    again = ImportOrder(file, workspace.slug, constants=("company=New",), skips_known=True, list_name="guests")
    assert import_file(again) == 0
    assert "0 created, 0 updated, 1 skipped, 1 refused." in capsys.readouterr().out
    ada.refresh_from_db()
    assert ada.company == "A=B"
    assert List.objects.count() == 1


def test_a_workbook_is_imported_as_well(
    workspace: Workspace, tmp_path: Path, worker: None, capsys: pytest.CaptureFixture[str]
) -> None:
    book, content = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    for row in (["Email", "Age"], ["ada@example.com", 36]):
        sheet.append(row)
    book.save(content)
    file = tmp_path / "people.xlsx"
    file.write_bytes(content.getvalue())
    assert import_file(ImportOrder(file, workspace.slug)) == 0
    assert Contact.objects.get().custom == {"age": 36}


@pytest.mark.parametrize(
    ("order", "word"),
    [({"mapping": ("Email",)}, "--mapping"), ({"constants": ("=x",)}, "--constant"), ({"constants": ("a=",)}, "TEXT")],
)
def test_an_option_that_cannot_be_read_is_named(
    workspace: Workspace, file: Path, order: dict[str, tuple[str, ...]], word: str
) -> None:
    with pytest.raises(BadMapping, match=word):
        import_file(ImportOrder(file, workspace.slug, **order))  # type: ignore[arg-type]


def test_a_workspace_that_is_not_there_is_named(db: None, file: Path) -> None:
    with pytest.raises(WorkspaceNotFound, match="nowhere"):
        import_file(ImportOrder(file, "nowhere"))
