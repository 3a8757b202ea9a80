"""Reads single cells of an import by what their column is mapped to."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from typing import Any, Final, TypeVar

from postroom.core.contacts.errors import BadValue
from postroom.core.contacts.rules.addresses import normalise_email
from postroom.core.contacts.rules.cell_lists import split_cells, split_states
from postroom.core.contacts.rules.formulas import restore
from postroom.core.contacts.rules.texts import clean_line, clean_text
from postroom.core.contacts.rules.values import parse_value
from postroom.core.contacts.types import (
    ConsentState,
    FieldSpec,
    FieldType,
    MemberStatus,
    SubscriptionStatus,
    SuppressionReason,
    SuppressionScope,
)
from postroom.kit.types import JSONValue

LINE_LENGTHS: Final = {"first_name": 200, "last_name": 200, "company": 200, "phone": 40, "language": 20, "timezone": 64}
_NAME_LENGTHS: Final = {"tags": 100, "lists": 200, "accounts": 200}
_OPTED_OUT: Final = FieldSpec(key="", label="Opted out", type=FieldType.BOOLEAN)

CellReader = Callable[[str], Any]
E = TypeVar("E", bound=Enum)


@dataclass(frozen=True, slots=True)
class KnownNames:
    """What a workspace has that a cell may name."""

    specs: Mapping[str, FieldSpec]
    categories: Collection[str] = ()


def cell_reader(header: str, target: str, known: KnownNames) -> CellReader:
    """Return what reads a cell that is not empty, with the apostrophe of an export taken off. It raises BadValue or
    BadAddress, and returns None for a cell that says nothing.
    """
    read = _reader(header, target, known)
    return lambda cell: read(restore(cell) if cell[0] == "'" else cell) if cell.strip() else None


def _reader(header: str, target: str, known: KnownNames) -> CellReader:
    if spec := known.specs.get(target):
        return partial(_read_choices, spec) if spec.type is FieldType.MULTISELECT else partial(parse_value, spec)
    if target in LINE_LENGTHS:
        return partial(clean_line, label=header, max_length=LINE_LENGTHS[target])
    readers: dict[str, CellReader] = {
        "email": partial(normalise_email, accepts_angle=True),
        "tags": partial(_names, header, target),
        "accounts": partial(_names, header, target),
        "lists": partial(_lists, header),
        "consents": partial(_consents, header, known.categories),
        "status": lambda cell: _word(header, SubscriptionStatus, cell).value,
        "opted_out": partial(parse_value, _OPTED_OUT),
        "suppressed": partial(_suppressions, header),
        "suppression_detail": partial(clean_text, label=header, max_length=1000),
        "created_at": partial(_instant, header),
    }
    return readers[target]


def _read_choices(spec: FieldSpec, cell: str) -> JSONValue:
    """Quotes keep a choice together that has a semicolon in it, as an export writes it."""
    return parse_value(spec, [*split_cells(cell)] if '"' in cell else cell)


def _names(header: str, target: str, cell: str) -> tuple[str, ...]:
    cleaned = (clean_line(name, label=header, max_length=_NAME_LENGTHS[target]) for name in split_cells(cell))
    return tuple(dict.fromkeys(name for name in cleaned if name))


def _lists(header: str, cell: str) -> tuple[tuple[str, str], ...]:
    """Read ``News=subscribed;Offers=unsubscribed``; a list without a state has an empty one."""
    return tuple(
        (
            clean_line(name, label=header, max_length=_NAME_LENGTHS["lists"]),
            _word(header, MemberStatus, state).value if state else "",
        )
        for name, state in split_states(cell)
    )


def _consents(header: str, categories: Collection[str], cell: str) -> tuple[tuple[str, str], ...]:
    found = [(slug.lower(), state) for slug, state in split_states(cell)]
    for slug, _ in found:
        if slug not in categories:
            raise BadValue(f"{header}: there is no topic {slug[:80]!r} in this workspace.", field=header)
    return tuple((slug, _word(header, ConsentState, state).value) for slug, state in found)


def _suppressions(header: str, cell: str) -> tuple[tuple[SuppressionScope, SuppressionReason], ...]:
    return tuple(_suppression(header, one) for one in split_cells(cell))


def _suppression(header: str, cell: str) -> tuple[SuppressionScope, SuppressionReason]:
    """Read the reason of the workspace's suppression, or with ``organization:`` before it, of everybody's there."""
    scope, colon, reason = cell.strip().rpartition(":")
    if scope and scope.lower() != SuppressionScope.ORGANIZATION:
        raise BadValue(f"{header}: only 'organization:' may stand before the reason, not {scope[:40]!r}.", field=header)
    why = _word(header, SuppressionReason, reason)
    if why is SuppressionReason.ERASED:
        raise BadValue(f"{header}: who was erased is not brought in again.", field=header)
    return SuppressionScope.ORGANIZATION if colon else SuppressionScope.WORKSPACE, why


def _word(header: str, words: type[E], cell: str) -> E:
    try:
        return words(cell.strip().lower())
    except ValueError as error:
        known = ", ".join(str(word.value) for word in words)
        raise BadValue(f"{header}: {cell[:40]!r} is not one of {known}.", field=header) from error


def _instant(header: str, cell: str) -> datetime:
    """Read an ISO 8601 time; without a zone it is UTC."""
    try:
        read = datetime.fromisoformat(cell.strip())
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadValue(f"{header}: {cell[:40]!r} is not a time like 2026-03-31T09:30:00Z.", field=header) from error
