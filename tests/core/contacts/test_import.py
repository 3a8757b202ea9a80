"""Imports: what a file says is merged once, whoever is killed on the way, and no opt-out is revived."""

import io
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psutil
import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import DataError, connection

from postroom.core.contacts import selectors, services
from postroom.core.contacts.errors import BadImport, BadValue, NameTaken, NoSuchImport, NoSuchList
from postroom.core.contacts.models import Contact, ContactTag, ImportBatch, ImportRowError, ImportRun, ListMember
from postroom.core.contacts.rules.import_batches import Batch, ReadingPlan, read_batches
from postroom.core.contacts.rules.import_lines import StagedPerson
from postroom.core.contacts.services.imports import merge, run
from postroom.core.contacts.services.imports.target import MergeTarget
from postroom.core.contacts.types import (
    CsvFormat,
    Fence,
    FieldType,
    ImportMapping,
    ImportStatus,
    MemberStatus,
    OptOutScope,
    SuppressionReason,
    SuppressionScope,
    Upload,
)
from postroom.core.events.models import DomainEvent
from postroom.core.workspaces.models import Workspace
from postroom.kit.paging import PageRequest
from tests.core.contacts.people import make_contact, make_fields, make_list, set_member
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db

DEMO: Final = Path(__file__).parents[3] / "demo" / "contacts-10k.csv"
MAPPING: Final = ImportMapping(columns={"Email": "email", "Name": "first_name"})


def start(workspace: Workspace, text: str, mapping: ImportMapping = MAPPING) -> ImportRun:
    upload = Upload(io.BytesIO(text.encode()), "people.csv")
    return services.start_import(workspace=workspace, upload=upload, mapping=mapping, actor=make_actor(), now=NOW)


def finish(started: ImportRun) -> ImportRun:
    services.run_import(run_uid=started.uid, clock=lambda: NOW)
    started.refresh_from_db()
    counted = started.created_rows + started.updated_rows + started.skipped_rows + started.error_rows
    assert started.processed_rows == counted
    return started


def test_an_import_waits_as_a_job_and_nothing_happens_before() -> None:
    started = start(make_workspace(), "Email,Name\na@example.com,Ada\n")
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name, args->>'run_uid' FROM procrastinate_jobs")
        assert cursor.fetchall() == [("contacts.run_import", str(started.uid))]
    assert (started.status, Contact.objects.count()) == (ImportStatus.QUEUED, 0)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"Name": "first_name"}, "No column is mapped to the e-mail"),
        ({"Email": "email", "Nope": "last_name"}, "no column 'Nope'"),
        ({"Email": "email", "Name": "password"}, "no field"),
        ({"Email": "email", "Name": "email"}, "Two columns"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_and_leaves_no_file(columns: dict[str, str], said: str) -> None:
    room = make_workspace()
    with pytest.raises(BadImport, match=said):
        start(room, "Email,Name\na@example.com,Ada\n", ImportMapping(columns=columns))
    assert not default_storage.exists("imports") or default_storage.listdir("imports")[1] == []
    assert selectors.list_imports(workspace=room, page=PageRequest()).items == ()


def test_a_refused_import_leaves_neither_its_new_list_nor_its_new_fields() -> None:
    room = make_workspace()
    make_list(room, name="Readers")
    columns = {"Email": "email", "Shoe": "custom.shoe"}
    for mapping in (
        ImportMapping(columns, new_list="readers"),
        ImportMapping({**columns, "Nope": "last_name"}, new_list="Fair"),
        ImportMapping(columns, tags=("x" * 101,), new_list="Fair"),
    ):
        with pytest.raises((BadImport, BadValue, NameTaken)):
            start(room, "Email,Shoe\na@example.com,37\n", mapping)
    assert [one.name for one in selectors.list_lists(workspace=room)] == ["Readers"]
    assert selectors.list_fields(workspace=room) == []
    done = finish(start(room, "Email,Shoe\na@example.com,37\n", ImportMapping(columns, new_list="Fair")))
    assert (done.status, done.created_rows) == (ImportStatus.DONE, 1)
    assert ListMember.objects.get().list.name == "Fair"


@pytest.mark.django_db(transaction=True)
def test_the_file_goes_when_its_import_has_ended() -> None:
    started = start(make_workspace(), "Email,Name\na@example.com,Ada\n")
    assert default_storage.exists(started.file)
    finish(started)
    assert not default_storage.exists(started.file)


def test_an_import_whose_job_is_given_up_says_so_and_one_that_is_done_stays_done() -> None:
    waiting, done = (start(make_workspace(), "Email,Name\na@example.com,Ada\n") for _ in range(2))
    finish(done)
    for one in (waiting, done):
        services.fail_import(run_uid=one.uid, reason="The disk is full.", now=NOW)
        one.refresh_from_db()
    assert (waiting.status, waiting.error, waiting.finished_at) == (ImportStatus.FAILED, "The disk is full.", NOW)
    assert (done.status, done.error) == (ImportStatus.DONE, "")


def test_an_import_into_a_strangers_list_is_refused() -> None:
    theirs = make_list(make_workspace())
    with pytest.raises(NoSuchList):
        start(make_workspace(), "Email\na@example.com\n", ImportMapping({"Email": "email"}, list_id=theirs.pk))
    with pytest.raises(NoSuchImport):
        selectors.get_import(workspace=make_workspace(), uid=start(make_workspace(), "Email,Name\n").uid)


def test_the_demo_file_imports_whole_with_the_proposed_mapping() -> None:
    room = make_workspace()
    list_ = make_list(room)
    with DEMO.open("rb") as file:
        sample = selectors.read_sample(file=file)
        mapping = ImportMapping(columns=sample.suggested, tags=("imported",), list_id=list_.pk)
        started = services.start_import(
            workspace=room, upload=Upload(file, DEMO.name), mapping=mapping, actor=make_actor(), now=NOW
        )
    done = finish(started)
    assert (done.created_rows, done.updated_rows, done.error_rows) == (10_000, 0, 0)
    assert ListMember.objects.filter(list=list_, status="subscribed").count() == 10_000
    assert {field.key: field.type for field in selectors.list_fields(workspace=room)} == {
        "country": FieldType.TEXT,
        "signed_up": FieldType.DATE,
        "age": FieldType.NUMBER,
        "lifetime_value": FieldType.NUMBER,
        "vip": FieldType.BOOLEAN,
        "interests": FieldType.MULTISELECT,
        "notes": FieldType.TEXT,
    }
    brandon = Contact.objects.get(email="ecurtis19773@mail22.example")
    assert (brandon.first_name, brandon.language, brandon.phone) == ("Brandon", "en", "+1-555-8779")
    assert brandon.custom == {
        "country": "GB",
        "signed_up": "2025-12-28",
        "age": 25,
        "vip": True,
        "notes": "Hand around medical also.",
    }
    tags = ContactTag.objects.filter(contact=brandon).values_list("tag__name", flat=True)
    assert sorted(tags) == ["imported", "lead"]
    told = DomainEvent.objects.filter(name="contacts.imported")
    assert sum(event.data["created"] for event in told) == 10_000
    assert sum(len(batch.created_ids) for batch in ImportBatch.objects.filter(run=done)) == 10_000


def test_empty_cells_change_nothing_and_later_rows_win() -> None:
    room = make_workspace()
    make_fields(room)
    ada = make_contact(room, "ada@example.com", age=36, motto="onwards")
    mapping = ImportMapping({"Email": "email", "Name": "first_name", "Age": "custom.age", "Tags": "tags"})
    text = 'Email,Name,Age,Tags\nada@example.com,,37,a;b\nADA@example.com,Augusta,,"b, c"\n'
    done = finish(start(room, text, mapping))
    assert (done.created_rows, done.updated_rows) == (0, 2)
    ada.refresh_from_db()
    assert (ada.first_name, ada.custom) == ("Augusta", {"age": 37, "motto": "onwards"})
    assert [tag.name for tag in selectors.list_tags(workspace=room)] == ["a", "b", "c"]


def test_an_import_that_changes_nothing_touches_nobody() -> None:
    room = make_workspace()
    text = "Email,Name\nada@example.com,Ada\n"
    finish(start(room, text))
    before = Contact.objects.get().updated_at
    again = start(room, text)
    services.run_import(run_uid=again.uid, clock=lambda: NOW.replace(year=2027))
    assert Contact.objects.get().updated_at == before


def test_an_import_revives_no_opt_out_and_no_suppressed_address() -> None:
    room, actor = make_workspace(), make_actor()
    ada, bob, eve = (make_contact(room, f"{name}@example.com") for name in ("ada", "bob", "eve"))
    list_ = make_list(room, ada)
    set_member(room, list_, ada, MemberStatus.UNSUBSCRIBED)
    services.opt_out(workspace=room, contact_id=bob.pk, scope=OptOutScope(), source="", actor=actor, now=NOW)
    services.suppress_address(
        workspace=room,
        email="eve@example.com",
        scope=SuppressionScope.WORKSPACE,
        reason=SuppressionReason.COMPLAINT,
        detail="",
        actor=actor,
        now=NOW,
    )
    text = "Email,Name\nada@example.com,A\nbob@example.com,B\neve@example.com,E\nnew@example.com,N\n"
    finish(start(room, text, ImportMapping(MAPPING.columns, list_id=list_.pk)))
    page = selectors.list_contacts(workspace=room, list_id=list_.pk, page=PageRequest())
    assert {member.contact.email for member in ListMember.objects.filter(status="subscribed")} == {
        "bob@example.com",
        "eve@example.com",
        "new@example.com",
    }
    assert len(page.items) == 4
    states = selectors.load_mail_states(workspace=room, contact_ids=[bob.pk, eve.pk], fence=Fence(list_ids=(list_.pk,)))
    assert states[bob.pk].is_workspace_unsubscribed
    assert states[eve.pk].suppression is SuppressionReason.COMPLAINT


def test_whoever_left_a_list_and_was_deleted_is_not_mailed_after_an_import() -> None:
    room, actor = make_workspace(), make_actor()
    ada = make_contact(room)
    list_ = make_list(room, ada)
    scope = OptOutScope(list_ids=(list_.pk,))
    services.opt_out(workspace=room, contact_id=ada.pk, scope=scope, source="", actor=actor, now=NOW)
    services.delete_contact(workspace=room, uid=ada.uid, actor=actor, now=NOW)
    finish(start(room, "Email,Name\nada@example.com,A\n", ImportMapping(MAPPING.columns, list_id=list_.pk)))
    again = Contact.objects.get()
    states = selectors.load_mail_states(workspace=room, contact_ids=[again.pk], fence=Fence(list_ids=(list_.pk,)))
    assert states[again.pk].suppression is SuppressionReason.UNSUBSCRIBED


def test_an_import_confirms_nobody_on_a_list_whose_people_confirm_themselves() -> None:
    room = make_workspace()
    list_ = services.create_list(workspace=room, name="News", actor=make_actor(), now=NOW, is_double_opt_in=True)
    for name in ("ada", "bob"):
        set_member(room, list_, make_contact(room, f"{name}@example.com"), MemberStatus.PENDING)
    ListMember.objects.filter(contact__email="bob@example.com").update(status=MemberStatus.SUBSCRIBED)
    text = "Email,Name\nada@example.com,A\nbob@example.com,B\nnew@example.com,N\n"
    finish(start(room, text, ImportMapping(MAPPING.columns, list_id=list_.pk)))
    members = ListMember.objects.values_list("contact__email", "status")
    assert dict(members) == {
        "ada@example.com": "pending",
        "bob@example.com": "subscribed",
        "new@example.com": "pending",
    }


def test_a_row_the_database_refuses_spoils_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    room, insert = make_workspace(), merge._insert

    def insert_or_refuse(people: list[StagedPerson], target: MergeTarget) -> list[tuple[int, StagedPerson]]:
        placed = insert(people, target)
        if any(person.email == "p7@example.com" for person in people):
            raise DataError
        return placed

    monkeypatch.setattr(merge, "_insert", insert_or_refuse)
    done = finish(start(room, "Email,Name\n" + "".join(f"p{n}@example.com,P\n" for n in range(20))))
    assert (done.created_rows, done.error_rows) == (19, 1)
    error = ImportRowError.objects.get()
    assert (error.row_number, error.reason, error.raw) == (
        8,
        "The database refused the row: DataError.",
        "p7@example.com,P",
    )


def test_a_second_runner_finds_the_edge_moved_and_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    room = make_workspace()
    monkeypatch.setattr(run, "BATCH_SIZE", 4)
    started = start(room, "Email,Name\n" + "".join(f"p{n}@example.com,P\n" for n in range(10)))
    merge_batch = run._merge_batch

    def race(of: ImportRun, position: int, batch: Batch, plan: ReadingPlan, now: datetime) -> bool:
        assert merge_batch(of, position, batch, plan, now)  # the other runner was quicker by a hair
        return merge_batch(of, position, batch, plan, now)

    with monkeypatch.context() as patched:
        patched.setattr(run, "_merge_batch", race)
        left = finish(started)
    assert (left.status, left.processed_rows, left.created_rows) == (ImportStatus.RUNNING, 4, 4)
    done = finish(started)
    assert (done.status, done.processed_rows, done.created_rows) == (ImportStatus.DONE, 10, 10)


def test_a_stored_file_that_is_gone_fails_the_import_with_a_reason() -> None:
    started = start(make_workspace(), "Email,Name\na@example.com,Ada\n")
    default_storage.delete(started.file)
    services.run_import(run_uid=started.uid, clock=lambda: NOW)
    started.refresh_from_db()
    assert (started.status, started.error) == (ImportStatus.FAILED, "The stored file cannot be read.")


CHILD: Final = """
import sys, time, django
django.setup()
from django.conf import settings
from postroom.core.contacts.services.imports import reading, run
from postroom.kit import clock
settings.MEDIA_ROOT, run.BATCH_SIZE, reading.WORTH_A_PROCESS = sys.argv[2], 50, int(sys.argv[3])

def slow_clock():
    print("edge", flush=True)
    time.sleep(0.02)
    return clock.now()

run.run_import(run_uid=sys.argv[1], clock=slow_clock)
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("size_of_large_files", [1_000_000, 0])
def test_an_import_killed_half_way_goes_on_at_the_last_edge_and_counts_nothing_twice(
    tmp_path: Path, size_of_large_files: int
) -> None:
    room = make_workspace()
    rows = [f"p{number % 1_900}@example.com,P" if number % 20 else "nobody,X" for number in range(2_000)]
    started = start(room, "\n".join(["Email,Name", *rows]) + "\n")
    for edges in (4, 6):
        kill_after(edges, started, tmp_path, size_of_large_files)
        started.refresh_from_db()
        assert 0 < started.processed_rows < 2_000
        assert started.processed_rows % 50 == 0
        assert started.created_rows == Contact.objects.count()
    done = finish(started)
    good = {row for row in rows if row != "nobody,X"}
    assert (done.status, done.processed_rows) == (ImportStatus.DONE, 2_000)
    assert (done.created_rows, done.error_rows) == (len(good), 100)
    assert done.updated_rows == 1_900 - len(good)
    assert Contact.objects.count() == len(good)


def kill_after(edges: int, started: ImportRun, storage: Path, size_of_large_files: int) -> None:
    """Run the import in a process of its own and kill it with -9 after so many batches; its reader goes with it."""
    where = connection.get_connection_params()
    name, user = quote(where["dbname"]), quote(where.get("user", ""))
    host, port = quote(str(where.get("host", "")), safe=""), where.get("port", "")
    url = f"postgresql://{user}:{quote(where.get('password', ''))}@/{name}?host={host}&port={port}"
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "postroom.config.settings",
        "POSTROOM_SECRET_KEY": settings.SECRET_KEY,
    }
    command = [sys.executable, "-c", CHILD, str(started.uid), str(storage), str(size_of_large_files)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(edges):
            assert child.stdout.readline() == "edge\n"
        readers = psutil.Process(child.pid).children()
        assert len(readers) == (size_of_large_files == 0)
        child.kill()
        assert child.wait() == -9
    assert not psutil.wait_procs(readers, timeout=10)[1]


def test_long_rows_make_short_batches() -> None:
    file = io.BytesIO(b"Email,Name\n" + b"".join(b"p%d@example.com,%s\n" % (n, b"x" * 90) for n in range(10)))
    plan = ReadingPlan(CsvFormat("utf-8", ","), MAPPING, specs=(), batch_size=100, batch_weight=300)
    assert [batch.size for batch in read_batches(file, plan)] == [3, 3, 3, 1]
