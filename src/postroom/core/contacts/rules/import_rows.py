"""Turns one row of a file into a person, or says which column is wrong and why."""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple

from postroom.core.contacts.errors import BadAddress, BadImport, BadRow, BadValue
from postroom.core.contacts.rules.import_cells import LINE_LENGTHS, CellReader, KnownNames, cell_reader
from postroom.core.contacts.rules.import_columns import CORE_TARGETS
from postroom.core.contacts.types import FieldSpec, ImportMapping, SuppressionReason, SuppressionScope
from postroom.kit.types import JSONObject

__all__ = ["LINE_LENGTHS", "NO_WORD", "ImportedPerson", "RowReader", "Standing"]

_MAX_KNOWN: Final = 4_096
_MAX_KNOWN_LENGTH: Final = 60
_STRENGTH: Final = ("", "pending", "subscribed", "unsubscribed")
_ENCODE: Final = json.JSONEncoder(ensure_ascii=False).encode


class Standing(NamedTuple):
    """What a row says beyond who the person is; ``created_at`` counts for new people only."""

    consents: tuple[tuple[str, str], ...] = ()
    status: str = ""
    is_opted_out: bool = False
    suppressed: tuple[tuple[SuppressionScope, SuppressionReason], ...] = ()
    suppression_detail: str = ""
    accounts: tuple[str, ...] = ()
    created_at: datetime | None = None

    def merged_with(self, later: "Standing") -> "Standing":
        """Return both as one; a "no" in either of them stays one, whatever the later row says."""
        consents = dict(self.consents) | {
            slug: state for slug, state in later.consents if dict(self.consents).get(slug) != "withdrawn"
        }
        return Standing(
            consents=tuple(consents.items()),
            status=self.status if self.status == "unsubscribed" else later.status or self.status,
            is_opted_out=self.is_opted_out or later.is_opted_out,
            suppressed=tuple(dict.fromkeys((*self.suppressed, *later.suppressed))),
            suppression_detail=later.suppression_detail or self.suppression_detail,
            accounts=tuple(dict.fromkeys((*self.accounts, *later.accounts))),
            created_at=self.created_at or later.created_at,
        )


NO_WORD: Final = Standing()
# What a column or a constant may say of a person's standing, by its target.
_STANDING: Final = {"opted_out" if name == "is_opted_out" else name: name for name in Standing._fields}


class ImportedPerson(NamedTuple):
    """What a row says of a person (a plain tuple, for there are millions).

    ``lines`` are the core texts in the order of ``LINE_LENGTHS``, empty when unsaid; ``pieces`` are the custom values
    by key, each as ``"key": value`` in JSON; a list without a state has an empty one.
    """

    email: str | None
    lines: tuple[str, ...]
    pieces: dict[str, str]
    tags: tuple[str, ...] = ()
    lists: tuple[tuple[str, str], ...] = ()
    standing: Standing = NO_WORD

    @property
    def custom(self) -> JSONObject:
        """The custom values by key."""
        custom: JSONObject = json.loads(f"{{{', '.join(self.pieces.values())}}}")
        return custom

    def merged_with(self, later: "ImportedPerson") -> "ImportedPerson":
        """Return both rows as one: what the later one says wins, what it leaves empty stays."""
        return self._replace(
            lines=tuple(new or old for old, new in zip(self.lines, later.lines, strict=True)),
            pieces=self.pieces | later.pieces,
            tags=tuple(dict.fromkeys((*self.tags, *later.tags))),
            lists=_merged_lists(self.lists, later.lists),
            standing=self.standing.merged_with(later.standing),
        )


class _Column(dict[str, Any]):
    """The readings of one mapped column by cell, kept as most columns repeat themselves (a country, a date, a name).

    ``nothing`` is what an empty cell comes to.
    """

    def __init__(self, header: str, read: CellReader, nothing: Any) -> None:
        super().__init__({"": nothing})
        self._header, self._read, self._nothing = header, read, nothing

    def __missing__(self, cell: str) -> Any:
        """Read a cell that was not met before. Raises BadRow."""
        try:
            value = self._read(cell)
        except (BadValue, BadAddress) as error:
            raise BadRow(error.message, column=self._header) from error
        if value is None:
            value = self._nothing
        if len(cell) <= _MAX_KNOWN_LENGTH and len(self) < _MAX_KNOWN:
            self[cell] = value
        return value


_Placed = tuple[int, _Column]


class RowReader:
    """Reads the rows of one file by its mapping. Raises BadImport when the mapping does not fit the file.

    ``categories`` are the slugs of the topics that a cell may name.
    """

    def __init__(
        self,
        headers: Sequence[str],
        mapping: ImportMapping,
        specs: Iterable[FieldSpec],
        *,
        categories: Collection[str] = (),
    ) -> None:
        known = KnownNames({f"custom.{spec.key}": spec for spec in specs}, categories)
        check_mapping(headers, mapping, known)
        self._width = len(headers)
        # What no column is mapped to reads one more cell, always empty, which comes to its constant or to nothing.
        self._blank = ("",) * (self._width + 1)
        self._headers = {target: header for header, target in mapping.columns.items()}
        self._places = {target: headers.index(header) for target, header in self._headers.items()}
        self._email = self._column("email", mapping, known)
        self._lines = [self._column(target, mapping, known) for target in LINE_LENGTHS]
        self._tags = self._column("tags", mapping, known)
        self._lists = self._column("lists", mapping, known)
        said = {*self._headers, *mapping.constants}
        self._custom = [
            (spec.key, *self._column(target, mapping, known)) for target, spec in known.specs.items() if target in said
        ]
        self._standing = [
            (name, *self._column(target, mapping, known)) for target, name in _STANDING.items() if target in said
        ]
        self._accepts_unaddressed = mapping.accepts_unaddressed

    def read(self, cells: Sequence[str]) -> ImportedPerson:
        """Return the person of a row; missing cells are empty. Raises BadRow."""
        if len(cells) > self._width:
            _refuse_extra(cells[self._width :])
            cells = cells[: self._width]
        cells = [*cells, *self._blank[len(cells) :]]
        (at, column) = self._email
        email = column[cells[at]]
        lines = tuple([column[cells[at]] for at, column in self._lines])
        if email is None:
            self._check_named(lines)
        (tag_at, tags), (list_at, lists) = self._tags, self._lists
        return ImportedPerson(
            email,
            lines,
            {key: piece for key, at, column in self._custom if (piece := column[cells[at]])},
            tags[cells[tag_at]],
            lists[cells[list_at]],
            self._read_standing(cells) if self._standing else NO_WORD,
        )

    def _column(self, target: str, mapping: ImportMapping, known: KnownNames) -> _Placed:
        header = self._headers.get(target, target)
        read = cell_reader(header, target, known)
        if spec := known.specs.get(target):
            read = partial(_piece, f"{_ENCODE(spec.key)}: ", read)
        constant = mapping.constants.get(target, "")
        nothing = () if target in {"tags", "lists"} else None if target == "email" else ""
        try:
            value = read(constant) if constant else None
        except (BadValue, BadAddress) as error:
            raise BadImport(f"The value for everybody does not fit: {error.message}") from error
        column = _Column(header, read, nothing if value is None else value)
        return self._places.get(target, self._width), column

    def _check_named(self, lines: tuple[str, ...]) -> None:
        header = self._headers.get("email", "")
        if not self._accepts_unaddressed:
            raise BadRow("There is no e-mail address.", column=header)
        if not (lines[0] or lines[1]):
            raise BadRow("There is neither an e-mail address nor a name.", column=header)

    def _read_standing(self, cells: Sequence[str]) -> Standing:
        said = {name: value for name, at, column in self._standing if (value := column[cells[at]])}
        return Standing(**said) if said else NO_WORD


def check_mapping(headers: Sequence[str], mapping: ImportMapping, known: KnownNames) -> None:
    """Raise BadImport when a mapping does not fit the columns of a file or names what is no field."""
    targets = list(mapping.columns.values())
    if "email" not in targets and not mapping.accepts_unaddressed:
        raise BadImport("No column is mapped to the e-mail address, by which people are told apart.")
    for header, target in mapping.columns.items():
        if header not in headers:
            raise BadImport(f"The file has no column {header!r}.")
        if target not in CORE_TARGETS and target not in known.specs:
            raise BadImport(f"The column {header!r} is mapped to {target!r}, which is no field.")
        if targets.count(target) > 1:
            raise BadImport(f"Two columns are mapped to {target!r}.")
    for target in mapping.constants:
        if target == "email" or (target not in CORE_TARGETS and target not in known.specs):
            raise BadImport(f"{target!r} is nothing that everybody could have the same of.")


def _refuse_extra(extra: Sequence[str]) -> None:
    if any(cell.strip() for cell in extra):
        shown = ", ".join(repr(cell[:40]) for cell in extra[:5])
        raise BadRow(f"The row has {len(extra)} cells more than the header: {shown}.")


def _piece(beginning: str, read: CellReader, cell: str) -> str | None:
    """Return a custom value as it stands in a JSON object after its key."""
    value = read(cell)
    if value is None:
        return None
    return beginning + (repr(value) if type(value) in {int, float} else _ENCODE(value))


def _merged_lists(
    earlier: tuple[tuple[str, str], ...], later: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Whoever has left a list in one of the rows has left it."""
    if not earlier or not later:
        return earlier or later
    states = dict(earlier)
    for name, state in later:
        states[name] = max(states.get(name, ""), state, key=_STRENGTH.index)
    return tuple(states.items())
