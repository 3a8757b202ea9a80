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


class RowReader:
    """Reads the rows of one file by its mapping. Raises BadImport when the mapping does not fit the file."""

    def __init__(self, headers: Sequence[str], mapping: ImportMapping, fields: Iterable[FieldSpec]) -> None:
        specs = {f"custom.{spec.key}": spec for spec in fields}
        targets = list(mapping.columns.values())
        _check_mapping(headers, mapping, specs)
        self._width = len(headers)
        self._email_column = _header_of(mapping, "email")
        self._columns: list[tuple[int, str, str, CellReader]] = [
            (headers.index(header), header, target, _cell_reader(header, target, specs))
            for header, target in mapping.columns.items()
        ]
        self._has_tags = "tags" in targets

    def read(self, cells: Sequence[str]) -> ImportedPerson:
        """Return the person of a row; missing cells are empty. Raises BadRow."""
        if len(cells) > self._width:
            self._refuse_extra(cells[self._width :])
        said: JSONObject = {}
        for index, header, target, read in self._columns:
            cell = cells[index] if index < len(cells) else ""
            if not cell:
                continue
            try:
                value = read(cell)
            except (BadValue, BadAddress) as error:
                raise BadRow(error.message, column=header) from error
            if value is not None and value != "":
                said[target] = value
        return self._to_person(said)

    def _to_person(self, said: JSONObject) -> ImportedPerson:
        email, tags = said.pop("email", None), said.pop("tags", None)
        if not isinstance(email, str):
            raise BadRow("There is no e-mail address.", column=self._email_column)
        return ImportedPerson(
            email=email,
            lines=tuple(str(said.pop(name, "")) for name in LINE_LENGTHS),
            custom={target.removeprefix("custom."): value for target, value in said.items()},
            tags=tuple(str(tag) for tag in tags) if isinstance(tags, list) else (),
        )

    def _refuse_extra(self, extra: Sequence[str]) -> None:
        if any(cell.strip() for cell in extra):
            shown = ", ".join(repr(cell[:40]) for cell in extra[:5])
            raise BadRow(f"The row has {len(extra)} cells more than the header: {shown}.")


def _header_of(mapping: ImportMapping, target: str) -> str:
    return next(header for header, found in mapping.columns.items() if found == target)


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
