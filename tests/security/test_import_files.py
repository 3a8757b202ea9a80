"""S7 for imports: no name in or of a file makes us read or write a byte outside the store."""

import io
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core import signing
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from postroom.core.contacts import services
from postroom.core.contacts.models import ImportRun
from postroom.core.workspaces.models import Workspace
from postroom.kit import clock
from tests.factories import make_user, make_workspace
from tests.security.bombs import RELATIONS, SHEET, STRINGS, WORKBOOK, Member, pack, workbook
from tests.security.watching import watched

pytestmark = pytest.mark.django_db
SECRET = "the canary's own words"
NAMES = [
    "../../../../{canary}",
    "{canary}",
    "..\\..\\..\\evil.csv",
    "C:\\evil.csv",
    "file://{canary}",
    "people.csv\x00.xlsx",
    "line\r\nSet-Cookie: a=b.csv",
    "a" * 400 + ".csv",
    "..",
]


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file beside the store, never to be touched."""
    path = tmp_path / "canary.csv"
    path.write_text(f"Email\n{SECRET}\n")
    return path


@pytest.fixture(autouse=True)
def store(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store, and a place for temporary files, inside a folder that can be looked over."""
    for name in ("store", "scratch"):
        (tmp_path / name).mkdir()
    settings.MEDIA_ROOT = str(tmp_path / "store")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    return tmp_path / "store"


@pytest.fixture
def room() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(room: Workspace) -> Client:
    browser = Client()
    browser.force_login(make_user(workspace=room))
    return browser


@pytest.fixture(autouse=True)
def nothing_outside(tmp_path: Path, store: Path) -> Iterator[None]:
    """Whatever a test did, beside the store there is what was there before."""
    before = {path for path in tmp_path.rglob("*") if store not in path.parents}
    yield
    after = {path for path in tmp_path.rglob("*") if store not in path.parents}
    assert after - before <= {tmp_path / "canary.csv"}


def upload(client: Client, room: Workspace, content: bytes, name: str = "people.xlsx") -> HttpResponse:
    file = io.BytesIO(content)
    file.name = name  # type: ignore[attr-defined] # as it is; Django's own class would clean it
    return client.post(f"/w/{room.slug}/imports/new/", {"file": file})


def put_in_store(store: Path) -> str:
    return "\n".join(path.read_text("utf-8", "replace") for path in store.rglob("*") if path.is_file())


def symlink(name: str, target: str) -> Member:
    return pack(name, target.encode())


def hostile_workbooks(canary: Path) -> dict[str, bytes]:
    """Workbooks, each of which names the canary in another place."""
    there = str(canary)
    sheet, names = "xl/worksheets/sheet1.xml", "xl/_rels/workbook.xml.rels"
    relation = RELATIONS.decode().replace("worksheets/sheet1.xml", "{}")
    entity = f'<!DOCTYPE t [<!ENTITY x SYSTEM "file://{there}">]>'.encode()
    shared = entity + STRINGS + b"<si><t>&x;</t></si></sst>"
    cells = SHEET + b'<row><c t="s"><v>0</v></c></row></sheetData></worksheet>'
    external = b'<externalReferences><externalReference r:id="rId9"/></externalReferences></workbook>'
    link = (
        f'<Relationship Id="rId9" Type="externalLink" Target="file://{there}" TargetMode="External"/></Relationships>'
    )
    return {
        "a sheet that is a path upwards": workbook(pack(names, relation.format("../../../../../.." + there).encode())),
        "a sheet that is an absolute path": workbook(pack(names, relation.format(there).encode())),
        "a sheet that is a file address": workbook(pack(names, relation.format(f"file://{there}").encode())),
        "a text from an entity": workbook(pack("xl/sharedStrings.xml", shared), pack(sheet, cells)),
        "a sheet with an include": workbook(
            pack(
                sheet,
                SHEET + f'<row><xi:include href="file://{there}" parse="text"/></row></sheetData></worksheet>'.encode(),
            )
        ),
        "a link to another workbook": workbook(
            pack("xl/workbook.xml", WORKBOOK.replace(b"</workbook>", external)),
            pack(names, RELATIONS.replace(b"</Relationships>", link.encode())),
        ),
        "a part that would be written upwards": workbook(pack("../../../../evil", b"x")),
        "a part that would be written anywhere": workbook(pack(str(canary.parent / "evil"), b"x")),
        "a part that is a symbolic link": _linked(workbook(symlink(sheet, there))),
    }


def _linked(archive: bytes) -> bytes:
    """Return the archive with its last part marked as a symbolic link, as Unix archivers do."""
    at = archive.rindex(b"PK\x01\x02")
    return archive[: at + 38] + struct.pack("<I", 0o120777 << 16) + archive[at + 42 :]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_s_name_is_a_word_and_never_a_place(
    client: Client, room: Workspace, store: Path, canary: Path, name: str
) -> None:
    with watched(canary) as opened:
        staged = upload(client, room, b"Email,Name\nnobody,Ada\n", name.format(canary=canary))
        if staged.status_code == 302:
            started = client.post(staged["Location"], {"column_0": "email", "act": "start"})
            run = ImportRun.objects.get()
            services.run_import(run_uid=run.uid, clock=clock.now)
            page = client.get(started["Location"])
            errors = client.get(f"{started['Location']}refused.csv")
            assert page.status_code == errors.status_code == 200
            assert "/" not in errors["Content-Disposition"].replace("utf-8", "")
            assert b"nobody" in b"".join(errors)  # type: ignore[arg-type]
            assert "/" not in run.filename
            assert len(run.filename) <= 255
    assert opened == []
    assert SECRET not in put_in_store(store)


@pytest.mark.parametrize("what", hostile_workbooks(Path("/x")))
def test_a_workbook_reaches_nothing_but_itself(
    client: Client, room: Workspace, store: Path, canary: Path, what: str
) -> None:
    with watched(canary) as opened:
        answer = upload(client, room, hostile_workbooks(canary)[what])
        shown = client.get(answer["Location"]) if answer.status_code == 302 else answer
    assert opened == []
    assert SECRET not in shown.content.decode()
    assert SECRET not in put_in_store(store)


def test_the_watch_would_see_it(canary: Path) -> None:
    with watched(canary) as opened:
        canary.read_text()
    assert opened


def test_a_token_of_ones_own_making_opens_nothing(client: Client, room: Workspace, canary: Path) -> None:
    payload = [room.pk, "people.csv", [["", os.path.relpath(canary, default_storage.location)]]]  # type: ignore[attr-defined]
    forged = [
        signing.dumps(payload, salt="another"),
        signing.dumps(payload, key="another", salt="postroom.web.imports"),
    ]
    with watched(canary) as opened:
        for token in (*forged, "..%2f..%2fcanary.csv", "x"):
            assert client.get(f"/w/{room.slug}/imports/map/{token}/").status_code == 404
    assert opened == []


@pytest.mark.parametrize("path", ["../canary.csv", "/etc/passwd", "imports/../../canary.csv"])
def test_the_store_itself_goes_nowhere_else(canary: Path, path: str) -> None:
    with pytest.raises(SuspiciousFileOperation):
        default_storage.open(path)


def test_a_cell_that_is_an_address_of_a_file_is_a_text(client: Client, room: Workspace, canary: Path) -> None:
    content = f"Email,Photo\nada@example.com,file://{canary}\n".encode()
    with watched(canary) as opened:
        location = upload(client, room, content, "people.csv")["Location"]
        client.post(location, {"column_0": "email", "column_1": "custom.photo", "act": "start"})
        services.run_import(run_uid=ImportRun.objects.get().uid, clock=clock.now)
    assert opened == []
