"""What an import would do, by reading the top of the file and looking its people up; nothing is written."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import IO, Final

from postroom.core.contacts.errors import BadRow
from postroom.core.contacts.models import Contact, ContactAlias
from postroom.core.contacts.rules.csv_files import HEAD_SIZE, BrokenRow, Row, detect_format, read_header, read_rows
from postroom.core.contacts.rules.import_columns import suggest_fields
from postroom.core.contacts.rules.import_rows import LINE_LENGTHS, ImportedPerson, RowReader
from postroom.core.contacts.selectors.fields import list_field_specs
from postroom.core.contacts.selectors.lists import list_categories
from postroom.core.contacts.types import (
    Fate,
    FieldChange,
    FieldSpec,
    ForecastError,
    ForecastRow,
    ImportForecast,
    ImportMapping,
)
from postroom.core.workspaces.models import Workspace
from postroom.kit.types import JSONValue

MAX_ROWS: Final = 10_000
MAX_SECONDS: Final = 2.0
_TYPED_BY: Final = 200
_TYPED_BY_LENGTH: Final = 1_000_000
_SHOWN_ERRORS: Final = 20
_SHOWN_PEOPLE: Final = 10
_SHOWN_LENGTH: Final = 2_000
_KEPT_PEOPLE: Final = 300
_KEPT_LENGTH: Final = 20_000

Numbered = tuple[int, Row | BrokenRow]


@dataclass(slots=True)
class _Reading:
    """The rows read so far: the address of each good one, the first people whole, the first refusals."""

    rows: int = 0
    is_whole_file: bool = False
    refused: int = 0
    addresses: list[str | None] = field(default_factory=list)
    people: list[tuple[int, ImportedPerson]] = field(default_factory=list)
    errors: list[ForecastError] = field(default_factory=list)


def forecast_import(*, workspace: Workspace, file: IO[bytes], mapping: ImportMapping) -> ImportForecast:
    """Return what importing ``file`` would do, judged by at most ``MAX_ROWS`` rows or some ``MAX_SECONDS``.

    Raises BadImport when the mapping does not fit the file.
    """
    started = time.monotonic()
    file.seek(0)
    format_ = detect_format(file.read(HEAD_SIZE))
    file.seek(0)
    with closing(read_rows(file, format_)) as rows:
        headers = read_header(rows)
        top = list(_take_top(rows, started + MAX_SECONDS / 2))
        specs = _known_and_new_fields(workspace, mapping, headers, top)
        slugs = [category.slug for category in list_categories(workspace=workspace)]
        reader = RowReader(headers, mapping, specs, categories=slugs)
        reading = _read(enumerate(chain(top, rows), start=1), reader, started + MAX_SECONDS)
    known = _find_known(workspace, {address for address in reading.addresses if address})
    return _forecast(reading, known, mapping, {f"custom.{spec.key}": spec.label for spec in specs})


def _known_and_new_fields(
    workspace: Workspace, mapping: ImportMapping, headers: Sequence[str], top: Sequence[Row | BrokenRow]
) -> list[FieldSpec]:
    """Return the workspace's fields and those that the import would define."""
    specs = list_field_specs(workspace=workspace)
    cells = [row for row in top if not isinstance(row, BrokenRow)]
    new = suggest_fields(dict(mapping.columns), headers, cells, [spec.key for spec in specs])
    return [*specs, *(FieldSpec(key=one.key, label=one.label, type=one.type) for one in new)]


def _take_top(rows: Iterator[Row | BrokenRow], until: float) -> Iterator[Row | BrokenRow]:
    """Yield the rows by which new fields are typed: so many, or fewer when they are long, for they are held at once."""
    weight = 0
    for row in islice(rows, _TYPED_BY):
        yield row
        weight += 0 if isinstance(row, BrokenRow) else sum(map(len, row))
        if weight > _TYPED_BY_LENGTH or time.monotonic() > until:
            return


def _read(rows: Iterator[Numbered], reader: RowReader, until: float) -> _Reading:
    reading = _Reading()
    for number, row in rows:
        if number > MAX_ROWS or time.monotonic() > until:
            return reading
        reading.rows = number
        try:
            _note(reading, number, reader.read(_cells(row)))
        except BadRow as error:
            reading.refused += 1
            if len(reading.errors) < _SHOWN_ERRORS:
                reading.errors.append(ForecastError(number, error.column, error.message))
    reading.is_whole_file = True
    return reading


def _note(reading: _Reading, number: int, person: ImportedPerson) -> None:
    reading.addresses.append(person.email)
    # Whoever is kept to be shown is of a size that can be shown, so that a page of giants fills no memory.
    if len(reading.people) < _KEPT_PEOPLE and sum(map(len, person.pieces.values())) < _KEPT_LENGTH:
        reading.people.append((number, person))


def _cells(row: Row | BrokenRow) -> Row:
    if isinstance(row, BrokenRow):
        raise BadRow(row.reason)
    return row


def _find_known(workspace: Workspace, addresses: set[str]) -> dict[str, int]:
    """Return the organization's people by address, the addresses they gave up in a merge among them."""
    organization_id = workspace.organization_id
    wanted = sorted(addresses)
    aliases = ContactAlias.objects.filter(organization_id=organization_id, email__in=wanted)
    people = Contact.objects.filter(organization_id=organization_id, email__in=wanted)
    rows = chain(aliases.values_list("email", "contact_id"), people.values_list("email", "pk"))
    return {address: contact_id for address, contact_id in rows if address}


def _forecast(
    reading: _Reading, known: dict[str, int], mapping: ImportMapping, labels: dict[str, str]
) -> ImportForecast:
    new = [address for address in reading.addresses if address is None or address not in known]
    created = new.count(None) + len({address for address in new if address is not None})
    skipped = len(reading.addresses) - len(new) if mapping.on_known == "skip" else 0
    return ImportForecast(
        rows_read=reading.rows,
        is_whole_file=reading.is_whole_file,
        created=created,
        updated=len(reading.addresses) - created - skipped,
        skipped=skipped,
        refused=reading.refused,
        errors=tuple(reading.errors),
        sample=_sample(reading.people, known, mapping, labels),
    )


def _sample(
    people: Sequence[tuple[int, ImportedPerson]], known: dict[str, int], mapping: ImportMapping, labels: dict[str, str]
) -> tuple[ForecastRow, ...]:
    """Return some of both, new people and known ones, in the order of the file."""
    old = [(number, person) for number, person in people if person.email in known]
    new = [(number, person) for number, person in people if person.email not in known]
    shown_old = old[: max(_SHOWN_PEOPLE // 2, _SHOWN_PEOPLE - len(new))]
    shown = sorted([*shown_old, *new[: _SHOWN_PEOPLE - len(shown_old)]], key=lambda one: one[0])
    records = Contact.objects.in_bulk([known[person.email] for _, person in shown_old if person.email])
    return tuple(
        _foresee(number, person, records.get(known.get(person.email or "", 0)), (mapping, labels))
        for number, person in shown
    )


def _foresee(
    number: int, person: ImportedPerson, before: Contact | None, how: tuple[ImportMapping, dict[str, str]]
) -> ForecastRow:
    mapping, labels = how
    changes = tuple(_standing(person))
    if before is None or mapping.on_known == "merge":
        changes = (*_changes(person, before, labels), *changes)
    fate = Fate.NEW if before is None else Fate.CHANGED if changes else Fate.KNOWN
    tags = tuple(dict.fromkeys((*mapping.tags, *person.tags)))
    return ForecastRow(number, person.email or "", fate, changes, tags)


def _changes(person: ImportedPerson, before: Contact | None, labels: dict[str, str]) -> Iterator[FieldChange]:
    """Yield what the row says otherwise than the record; what it leaves empty stays."""
    for name, said in zip(LINE_LENGTHS, person.lines, strict=True):
        old = str(getattr(before, name)) if before else ""
        if said and said != old:
            yield FieldChange(name.replace("_", " ").capitalize(), old, said)
    for key, value in person.custom.items():
        was: JSONValue = before.custom.get(key, "") if before else ""
        if value != was:
            yield FieldChange(labels.get(f"custom.{key}", key), was, _short(value))


def _standing(person: ImportedPerson) -> Iterator[FieldChange]:
    """Yield what the row says of lists, topics and stops; it may add a "no", and never takes one back."""
    said = person.standing
    for label, value in (
        ("Lists", [f"{name} ({state or 'as chosen'})" for name, state in person.lists]),
        ("Topics", [f"{slug} ({state})" for slug, state in said.consents]),
        ("Status", said.status),
        ("Opted out of everything", said.is_opted_out),
        ("Suppressed", [f"{reason.value} ({scope.value})" for scope, reason in said.suppressed]),
        ("Accounts", list(said.accounts)),
    ):
        if value:
            yield FieldChange(label, "", list(value) if isinstance(value, list) else value)


def _short(value: JSONValue) -> JSONValue:
    return value[:_SHOWN_LENGTH] if isinstance(value, str) else value
