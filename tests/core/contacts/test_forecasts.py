"""A forecast says what an import then does, and changes nothing."""

import io
import time

import pytest
from django.db import connection

from postroom.core.contacts import selectors, services
from postroom.core.contacts.errors import BadImport
from postroom.core.contacts.models import Contact, Field, ImportRun
from postroom.core.contacts.rules.field_keys import field_key
from postroom.core.contacts.selectors import forecasts
from postroom.core.contacts.types import (
    Fate,
    FieldChange,
    FieldType,
    ImportForecast,
    ImportMapping,
    NewContact,
    NewField,
    Upload,
)
from postroom.core.workspaces.models import Workspace
from postroom.kit import clock
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db
FILE = (
    "E-mail,First name,Company,Shoe size,Tags\n"
    "ada@example.com,Ada,Engines,37,vip\n"
    "new@example.com,New,,44,\n"
    "nobody,,,,\n"
    "NEW@example.com,Newer,,,\n"
    ",Nameless,,,\n"
    "bob@example.com,Bob,,x,\n"
    "grace@example.com,Grace,,,\n"
)
COLUMNS = {
    "E-mail": "email",
    "First name": "first_name",
    "Company": "company",
    "Shoe size": "custom.shoe_size",
    "Tags": "tags",
}


@pytest.fixture
def workspace(db: None) -> Workspace:
    workspace, actor = make_workspace(), make_actor()
    new = NewField(label="Shoe size", key="shoe_size", type=FieldType.NUMBER)
    services.create_field(workspace=workspace, new=new, actor=actor, now=NOW)
    for email, custom in (("ada@example.com", {"shoe_size": 36}), ("grace@example.com", {})):
        person = NewContact(email=email, first_name=email.partition("@")[0].capitalize(), custom={**custom})
        services.create_contact(workspace=workspace, new=person, actor=actor, now=NOW)
    return workspace


def forecast(workspace: Workspace, text: str = FILE, **mapping: object) -> ImportForecast:
    whole = ImportMapping(**{"columns": COLUMNS, **mapping})  # type: ignore[arg-type]
    return selectors.forecast_import(workspace=workspace, file=io.BytesIO(text.encode()), mapping=whole)


def run_import(workspace: Workspace, **mapping: object) -> ImportRun:
    whole = ImportMapping(**{"columns": COLUMNS, **mapping})  # type: ignore[arg-type]
    upload = Upload(io.BytesIO(FILE.encode()), "people.csv")
    run = services.start_import(workspace=workspace, upload=upload, mapping=whole, actor=make_actor(), now=NOW)
    services.run_import(run_uid=run.uid, clock=clock.now)
    run.refresh_from_db()
    return run


def test_it_shows_before_and_after_of_those_who_are_known_and_all_of_those_who_are_new(workspace: Workspace) -> None:
    rows = {row.email: row for row in forecast(workspace, tags=("fair",)).sample}
    assert rows["ada@example.com"].fate == Fate.CHANGED
    assert rows["ada@example.com"].changes == (FieldChange("Company", "", "Engines"), FieldChange("Shoe size", 36, 37))
    assert rows["ada@example.com"].tags == ("fair", "vip")
    assert rows["grace@example.com"].fate == Fate.KNOWN
    assert rows["grace@example.com"].changes == ()
    assert rows["new@example.com"].fate == Fate.NEW
    assert {change.label for change in rows["new@example.com"].changes} >= {"First name"}


def test_refused_rows_are_named_with_their_column_and_reason(workspace: Workspace) -> None:
    found = [(error.number, error.column) for error in forecast(workspace).errors]
    assert found == [(3, "E-mail"), (5, "E-mail"), (6, "Shoe size")]
    assert "'x' is not a number" in forecast(workspace).errors[2].reason


@pytest.mark.parametrize(
    "mapping", [{}, {"on_known": "skip"}, {"accepts_unaddressed": True}, {"constants": {"company": "Unknown"}}]
)
def test_it_says_what_the_import_then_does(workspace: Workspace, mapping: dict[str, object]) -> None:
    said = forecast(workspace, **mapping)
    run = run_import(workspace, **mapping)
    assert (said.created, said.updated, said.skipped, said.refused) == (
        run.created_rows,
        run.updated_rows,
        run.skipped_rows,
        run.error_rows,
    )
    assert said.rows_read == run.processed_rows == 7
    assert said.is_whole_file


def test_nothing_is_written(workspace: Workspace) -> None:
    before = list(Contact.objects.order_by("pk").values())
    columns = {**COLUMNS, "Tags": f"custom.{field_key('Tags on their shoes')}"}
    forecast(workspace, columns=columns, new_list="Everybody", tags=("new",))
    assert list(Contact.objects.order_by("pk").values()) == before
    assert Field.objects.count() == 1
    assert not ImportRun.objects.exists()


def test_a_long_file_is_read_at_the_top_only_and_in_a_few_statements(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: object
) -> None:
    monkeypatch.setattr(forecasts, "MAX_ROWS", 500)
    text = "E-mail\n" + "".join(f"p{number}@example.com\n" for number in range(600))
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        said = forecast(workspace, text, columns={"E-mail": "email"})
    assert (said.rows_read, said.created, said.is_whole_file) == (500, 500, False)
    assert forecast(workspace, text[: text.index("p500")], columns={"E-mail": "email"}).is_whole_file


def test_a_slow_file_is_given_up_in_time(workspace: Workspace) -> None:
    row = b"p@example.com," + b"\xe9" * 100_000 + b"\n"  # octet by octet read as Windows-1252
    file = io.BytesIO(b"E-mail,Note\n" + row * 400)
    started = time.monotonic()
    said = selectors.forecast_import(workspace=workspace, file=file, mapping=ImportMapping({"E-mail": "email"}))
    assert time.monotonic() - started < 5 * forecasts.MAX_SECONDS  # a busy machine is slow to look at the clock
    assert not said.is_whole_file
    assert 0 < said.rows_read < 400


def test_people_of_another_organization_are_nobody_here(workspace: Workspace) -> None:
    said = forecast(make_workspace(), columns={"E-mail": "email"})
    assert said.updated == 1  # the address that stands twice in the file
    assert all(row.fate == Fate.NEW for row in said.sample)


def test_a_mapping_that_does_not_fit_is_refused_as_the_import_would(workspace: Workspace) -> None:
    with pytest.raises(BadImport):
        forecast(workspace, columns={"No such": "email"})


def test_the_look_up_uses_the_index_of_addresses(workspace: Workspace) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT id FROM contacts_contact WHERE organization_id = 1 AND email IN ('a', 'b')")
        assert "Index" in str(cursor.fetchall())
