"""Files read into lines for COPY, here or in a process beside: the same batches, with memory bounded."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import RFC_4122, UUID

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postroom.core.contacts.errors import BadImport
from postroom.core.contacts.rules import search_words
from postroom.core.contacts.rules.import_batches import Batch, Problem, ReadingPlan
from postroom.core.contacts.rules.import_columns import suggest_fields, suggest_mapping
from postroom.core.contacts.rules.import_lines import LINE_COLUMNS, StagedPerson, names_of, stage_people, tsvector_text
from postroom.core.contacts.rules.import_rows import NO_WORD, ImportedPerson, RowReader, Standing
from postroom.core.contacts.rules.import_wire import ChildWork, read_answer, read_work, write_answer, write_work
from postroom.core.contacts.services.imports import reading
from postroom.core.contacts.types import (
    CsvFormat,
    FieldSpec,
    FieldType,
    ImportMapping,
    SuppressionReason,
    SuppressionScope,
)
from postroom.kit.copy import copy_lines
from postroom.kit.ids import uuid7, uuid7_texts

SPECS: Final = (FieldSpec("note", "Note", FieldType.TEXT), FieldSpec("likes", "Likes", FieldType.MULTISELECT))
MAPPING: Final = ImportMapping(
    {"Email": "email", "First": "first_name", "Last": "last_name", "Note": "custom.note", "Likes": "custom.likes"}
)
PLAN: Final = ReadingPlan(CsvFormat("utf-8", ","), MAPPING, SPECS, batch_size=100, batch_weight=1_000_000)
TEXT: Final = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30)


def people_file(folder: Path, count: int) -> Path:
    path = folder / "people.csv"
    rows = (f"p{n}@example.com,Ada {n % 7},Ünal,n {n},a;b\n" if n % 10 else "nobody,,,,\n" for n in range(count))
    path.write_text("Email,First,Last,Note,Likes\n" + "".join(rows), encoding="utf-8")
    return path


def plain(batches: Iterator[Batch]) -> list[tuple[object, ...]]:
    """Return batches without what is random in them."""
    return [
        (batch.size, batch.bad, [one._replace(line=one.line.partition("\t")[2]) for one in batch.people])
        for batch in batches
    ]


def test_a_process_beside_reads_the_same_as_this_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = people_file(tmp_path, 1_000)
    with path.open("rb") as file:
        here = plain(reading.read_beside(file, PLAN))
    monkeypatch.setattr(reading, "WORTH_A_PROCESS", 0)
    with path.open("rb") as file:
        beside = plain(reading.read_beside(file, PLAN))
    assert len(here) == 10
    assert beside == here


def test_the_process_ends_with_whoever_stops_listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(*args, **options)  # type: ignore[call-overload]
            started.append(self)

    monkeypatch.setattr(reading, "WORTH_A_PROCESS", 0)
    monkeypatch.setattr(subprocess, "Popen", Noted)
    with people_file(tmp_path, 50_000).open("rb") as file:
        batches = reading.read_beside(file, PLAN)
        assert next(batches).size == 100
        assert started[0].poll() is None
        batches.close()
    assert started[0].returncode == -9


def test_what_the_process_cannot_read_is_said_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "WORTH_A_PROCESS", 0)
    path = tmp_path / "one-line.csv"
    path.write_text("Email,First,Last,Note,Likes\na@example.com," + "x" * 1_000_001)
    with path.open("rb") as file, pytest.raises(BadImport, match="longer than 1,000,000"):
        list(reading.read_beside(file, PLAN))


def test_the_process_knows_no_secret_but_those_it_is_given_and_has_no_environment(tmp_path: Path) -> None:
    """What it hashes addresses with comes with its work; the rest of the settings stays where it is."""
    code = "from postroom.core.contacts.rules import import_child; import sys; print('postroom.config' in sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, env={}, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_batch_survives_its_way_through_a_pipe() -> None:
    standing = Standing(
        consents=(("tips", "granted"),),
        status="unsubscribed",
        is_opted_out=True,
        suppressed=(
            (SuppressionScope.ORGANIZATION, SuppressionReason.COMPLAINT),
            (SuppressionScope.WORKSPACE, SuppressionReason.UNSUBSCRIBED),
        ),
        suppression_detail="said so",
        accounts=("Acme",),
        created_at=datetime(2026, 3, 31, tzinfo=UTC),
    )
    line = 'tab\t, quote ", backslash \\, line\u2028, \U0001f680'
    people = [
        StagedPerson((1, 2), "a@example.com", line, ("x", "y"), (("News", ""),), standing),
        StagedPerson((3,), None, "line", ("x", "y"), (), NO_WORD),
    ]
    batch = Batch(4, people, [Problem(4, "Email", f"{line}\n", f"{line}\r\n")])
    for one in (batch, Batch(1), "Is this really a CSV file?", None):
        stream = io.BytesIO(write_answer(one) + write_answer(None))
        assert read_answer(stream) == one
        assert read_answer(stream) is None
    with pytest.raises(EOFError):
        read_answer(io.BytesIO())
    work = ChildWork(3, replace(PLAN, categories=frozenset({"tips"}), position=7), ("secret", "older"))
    assert read_work(write_work(work)) == work


def test_people_of_one_address_become_one_and_stand_in_the_order_of_addresses() -> None:
    def row(email: str | None, first: str) -> ImportedPerson:
        return ImportedPerson(email, (first, "", "", "", "", ""), {})

    rows = [(1, row("b@x.example", "B")), (2, row(None, "N")), (3, row("a@x.example", "A")), (4, row(None, "N"))]
    staged = stage_people([*rows, (5, row("b@x.example", "C"))])
    assert [one.rows for one in staged] == [(2,), (4,), (3,), (1, 5)]
    assert names_of(staged[-1].line) == ["C", "", ""]


@pytest.mark.django_db
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(TEXT, min_size=3, max_size=3), st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))
)
def test_whatever_stands_in_a_row_arrives_in_the_database(names: list[str], note: str) -> None:
    cells = ["o'brien@example.com", *names[:2], note, f'"{names[2]}";\\N']
    reader = RowReader(tuple(MAPPING.columns), MAPPING, SPECS)
    person = reader.read(cells)
    (staged,) = stage_people([(1, person)])
    words = search_words(email=person.email, first_name=person.lines[0], last_name=person.lines[1], company="")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE lines AS SELECT * FROM contacts_contact WHERE false")
        copy_lines("lines", LINE_COLUMNS, [f"{staged.line}\n"])
        cursor.execute(
            "SELECT email, first_name, last_name, custom::text, search = array_to_tsvector(%s) FROM lines", [words]
        )
        (email, first, last, custom, is_found) = cursor.fetchone()
        cursor.execute("DROP TABLE lines")
    assert (email, first, last) == ("o'brien@example.com", *person.lines[:2])
    assert json.loads(custom) == person.custom
    assert is_found
    assert person.standing == NO_WORD


def test_the_words_of_a_person_are_read_as_they_are_meant() -> None:
    assert tsvector_text([]) == ""
    assert tsvector_text(["a", "o'b", "c\\d"]) == r"'a' 'o''b' 'c\\d'"


def test_uuids_by_the_thousand_are_as_good_as_one_by_one() -> None:
    texts = uuid7_texts(1_000)
    uuids = [UUID(text) for text in texts]
    assert len(set(uuids)) == 1_000
    assert {(one.version, one.variant) for one in uuids} == {(7, RFC_4122)}
    assert abs(uuids[0].int - uuid7().int) >> 80 < 10_000
    assert uuid7_texts(0) == []


@pytest.mark.parametrize(
    ("headers", "targets"),
    [
        (
            ("Email Address", "First Name", "Last Name", "MEMBER_RATING", "TAGS"),
            ("email", "first_name", "last_name", "custom.member_rating", "tags"),
        ),
        (("E-Mail-Adresse", "Vorname", "Nachname", "Firma"), ("email", "first_name", "last_name", "company")),
        (("Adresse e-mail", "Prénom", "Nom", "Société"), ("email", "first_name", "last_name", "company")),
        (("EMAIL", "FNAME", "LNAME", "status"), ("email", "first_name", "last_name", "custom.status")),
        (("email", "name", "attributes", "status"), ("email", "first_name", "custom.attributes", "custom.status")),
        (("Name", "Vorname", "E-Mail"), ("last_name", "first_name", "email")),
    ],
)
def test_the_headers_of_other_tools_are_understood(headers: tuple[str, ...], targets: tuple[str, ...]) -> None:
    assert tuple(suggest_mapping(headers).values()) == targets


def test_a_file_of_ours_is_mapped_whole_and_its_fields_have_their_type() -> None:
    headers = (
        "email",
        "lists",
        "consents",
        "status",
        "opted_out",
        "suppressed",
        "suppression_detail",
        "custom.age:text",
    )
    mapping = suggest_mapping(headers)
    assert mapping == {header: header for header in headers[:-1]} | {"custom.age:text": "custom.age"}
    (field,) = suggest_fields(mapping, headers, [["", "", "", "", "", "", "", "5"]], known_keys=())
    assert (field.key, field.type) == ("age", FieldType.TEXT)
