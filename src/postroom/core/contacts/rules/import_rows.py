"""Turns one row of a file into a person, or says which column is wrong and why."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from postroom.core.contacts.errors import BadAddress, BadImport, BadRow, BadValue
from postroom.core.contacts.rules.addresses import normalise_email
from postroom.core.contacts.rules.import_columns import CORE_TARGETS
from postroom.core.contacts.rules.texts import clean_line
from postroom.core.contacts.rules.values import parse_value
from postroom.core.contacts.types import FieldSpec, ImportMapping
from postroom.kit.types import JSONObject, JSONValue

LINE_LENGTHS: Final = {"first_name": 200, "last_name": 200, "company": 200, "phone": 40, "language": 20, "timezone": 64}
_TAG_LENGTH: Final = 100
_MAX_KNOWN: Final = 4_096
_MAX_KNOWN_LENGTH: Final = 60
_TAG_BREAK: Final = re.compile(r"[;,]")

CellReader = Callable[[str], JSONValue]


@dataclass(frozen=True, slots=True)
class ImportedPerson:
    """What a row says of a person; ``lines`` are the core texts in the order of ``LINE_LENGTHS``, empty when unsaid."""

    email: str
    lines: tuple[str, ...]
    custom: JSONObject
    tags: tuple[str, ...]

    def merged_with(self, later: "ImportedPerson") -> "ImportedPerson":
        """Return both rows as one: what the later one says wins, what it leaves empty stays."""
        return replace(
            self,
            lines=tuple(new or old for old, new in zip(self.lines, later.lines, strict=True)),
            custom={**self.custom, **later.custom},
            tags=tuple(dict.fromkeys((*self.tags, *later.tags))),
        )


class _Column:
    """One mapped column. Most columns repeat themselves (a country, a date, a first name), so readings are kept."""

    def __init__(self, index: int, header: str, read: CellReader) -> None:
        self.header = header
        self._index = index
        self._read = read
        self._known: dict[str, JSONValue] = {"": None}

    def value(self, cells: Sequence[str]) -> JSONValue:
        """Return the cell's value, None when it is empty. Raises BadRow."""
        cell = cells[self._index]
        if cell in self._known:
            return self._known[cell]
        try:
            value = self._read(cell)
        except (BadValue, BadAddress) as error:
            raise BadRow(error.message, column=self.header) from error
        if len(cell) <= _MAX_KNOWN_LENGTH and len(self._known) < _MAX_KNOWN:
            self._known[cell] = value
        return value


class RowReader:
    """Reads the rows of one file by its mapping. Raises BadImport when the mapping does not fit the file."""

    def __init__(self, headers: Sequence[str], mapping: ImportMapping, fields: Iterable[FieldSpec]) -> None:
        specs = {f"custom.{spec.key}": spec for spec in fields}
        _check_mapping(headers, mapping, specs)
        columns = {
            target: _Column(headers.index(header), header, _cell_reader(header, target, specs))
            for header, target in mapping.columns.items()
        }
        self._width = len(headers)
        self._email = columns["email"]
        self._tags = columns.get("tags")
        self._lines = [columns.get(name) for name in LINE_LENGTHS]
        self._custom = [(specs[target].key, column) for target, column in columns.items() if target in specs]

    def read(self, cells: list[str]) -> ImportedPerson:
        """Return the person of a row; missing cells are empty. Raises BadRow."""
        if len(cells) > self._width:
            _refuse_extra(cells[self._width :])
        elif len(cells) < self._width:
            cells = cells + [""] * (self._width - len(cells))
        email = self._email.value(cells)
        if not email:
            raise BadRow("There is no e-mail address.", column=self._email.header)
        lines = [str(column.value(cells) or "") if column else "" for column in self._lines]
        said = [(key, column.value(cells)) for key, column in self._custom]
        tags = self._tags.value(cells) if self._tags else None
        return ImportedPerson(
            email=str(email),
            lines=tuple(lines),
            custom={key: value for key, value in said if value is not None},
            tags=tuple(map(str, tags)) if isinstance(tags, list) else (),
        )


def _refuse_extra(extra: Sequence[str]) -> None:
    if any(cell.strip() for cell in extra):
        shown = ", ".join(repr(cell[:40]) for cell in extra[:5])
        raise BadRow(f"The row has {len(extra)} cells more than the header: {shown}.")


def _check_mapping(headers: Sequence[str], mapping: ImportMapping, specs: dict[str, FieldSpec]) -> None:
    targets = list(mapping.columns.values())
    if "email" not in targets:
        raise BadImport("No column is mapped to the e-mail address, by which people are told apart.")
    for header, target in mapping.columns.items():
        if header not in headers:
            raise BadImport(f"The file has no column {header!r}.")
        if target not in CORE_TARGETS and target not in specs:
            raise BadImport(f"The column {header!r} is mapped to {target!r}, which is no field.")
        if targets.count(target) > 1:
            raise BadImport(f"Two columns are mapped to {target!r}.")


def _cell_reader(header: str, target: str, specs: dict[str, FieldSpec]) -> CellReader:
    if target == "email":
        return lambda cell: normalise_email(cell, accepts_angle=True) if cell.strip() else None
    if target == "tags":
        return partial(_read_tags, header)
    if target in LINE_LENGTHS:
        return partial(clean_line, label=header, max_length=LINE_LENGTHS[target])
    return partial(parse_value, specs[target])


def _read_tags(header: str, cell: str) -> JSONValue:
    cleaned = (clean_line(name, label=header, max_length=_TAG_LENGTH) for name in _TAG_BREAK.split(cell))
    return [name for name in cleaned if name]
