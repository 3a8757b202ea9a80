"""Reads a segment's filter into typed conditions, refusing whatever it cannot understand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from postroom.core.contacts.errors import BadFilter, BadValue
from postroom.core.contacts.rules.values import parse_value
from postroom.core.contacts.types import FieldSpec, FieldType
from postroom.kit.types import JSONValue

MAX_DEPTH: Final = 4
MAX_CONDITIONS: Final = 60
MAX_CHOICES: Final = 1_000
MAX_OPERAND: Final = 1_000


class Kind(Enum):
    """How a field is compared."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    MULTISELECT = "multiselect"
    INSTANT = "instant"
    TAG = "tag"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class FieldRef:
    """What a condition looks at: a column of the contact, or a key of its custom values."""

    name: str
    kind: Kind
    is_custom: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; ``operands`` has one typed value, several for ``in``, none for the ``is_`` operators."""

    field: FieldRef
    operator: str
    operands: tuple[JSONValue, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions and groups of which all must hold, or any."""

    matches_all: bool
    parts: tuple["Condition | Group", ...]


Filter = Group
Where = tuple[int, ...]

_CORE: Final = {
    **{
        name: FieldRef(name, Kind.TEXT)
        for name in ("email", "first_name", "last_name", "company", "phone", "language", "timezone")
    },
    "created_at": FieldRef("created_at", Kind.INSTANT),
    "updated_at": FieldRef("updated_at", Kind.INSTANT),
    "tag": FieldRef("tag", Kind.TAG),
    "tags": FieldRef("tag", Kind.TAG),
    "list": FieldRef("list", Kind.LIST),
}
RESERVED_KEYS: Final = frozenset({*_CORE, "custom", "lists", "id", "uid", "name", "contact", "unsubscribe_url"})
"""Words that mean something else in filters and templates, so no custom field may be called so."""

_KINDS: Final = {
    FieldType.NUMBER: Kind.NUMBER,
    FieldType.BOOLEAN: Kind.BOOLEAN,
    FieldType.DATE: Kind.DATE,
    FieldType.MULTISELECT: Kind.MULTISELECT,
}
_ALIASES: Final = {"is_empty": "is_not_set", "is_not_empty": "is_set"}
_PRESENCE: Final = frozenset({"is_set", "is_not_set"})
_ORDER: Final = frozenset({"gt", "lt", "gte", "lte"})
_WHEN: Final = _ORDER | {"before", "after"}
_OPERATORS: Final = {
    Kind.TEXT: _PRESENCE | {"eq", "neq", "contains", "not_contains", "starts_with", "in"},
    Kind.NUMBER: _PRESENCE | _ORDER | {"eq", "neq", "in"},
    Kind.BOOLEAN: _PRESENCE | {"eq", "neq"},
    Kind.DATE: _PRESENCE | _WHEN | {"eq", "neq", "in"},
    Kind.MULTISELECT: _PRESENCE | {"has", "not_has", "contains", "not_contains", "in"},
    Kind.INSTANT: _PRESENCE | _WHEN | {"eq", "neq"},
    Kind.TAG: _PRESENCE | {"has", "not_has", "in"},
    Kind.LIST: _PRESENCE | {"has", "not_has", "in"},
}
OPERATORS: Final = frozenset().union(*_OPERATORS.values()) | frozenset(_ALIASES)


def parse_filter(filter_: JSONValue, fields: Iterable[FieldSpec]) -> Filter:
    """Return the typed form of ``{"match": "all" | "any", "conditions": [...]}``; a condition may be a group itself.

    Raises BadFilter saying which condition it is about.
    """
    reader = _Reader({spec.key: spec for spec in fields})
    group = reader.read_group(filter_, (), depth=1)
    if reader.count > MAX_CONDITIONS:
        raise BadFilter(f"The filter has {reader.count} conditions; at most {MAX_CONDITIONS} are allowed.")
    return group


def _named(where: Where) -> str:
    """Return the place as a person counts it: ``Condition 2.1`` is the first one of the group that stands second."""
    return f"Condition {'.'.join(map(str, where))}" if where else "The filter"


class _Reader:
    """Walks one filter, counting its conditions."""

    def __init__(self, specs: Mapping[str, FieldSpec]) -> None:
        self._specs = specs
        self.count = 0

    def read_group(self, raw: JSONValue, where: Where, depth: int) -> Group:
        if not isinstance(raw, dict):
            raise BadFilter(f"{_named(where)}: expected an object with match and conditions.")
        if depth > MAX_DEPTH:
            raise BadFilter(f"{_named(where)}: groups are nested more than {MAX_DEPTH} deep.")
        match, conditions = raw.get("match"), raw.get("conditions")
        if match not in ("all", "any"):
            raise BadFilter(f'{_named(where)}: match must be "all" or "any".')
        if not isinstance(conditions, list) or not conditions:
            raise BadFilter(f"{_named(where)}: at least one condition is needed.")
        parts = (self._read_part(part, (*where, number), depth) for number, part in enumerate(conditions, start=1))
        return Group(matches_all=match == "all", parts=tuple(parts))

    def _read_part(self, raw: JSONValue, where: Where, depth: int) -> Condition | Group:
        if isinstance(raw, dict) and "conditions" in raw:
            return self.read_group(raw, where, depth + 1)
        self.count += 1
        if not isinstance(raw, dict):
            raise BadFilter(f"{_named(where)}: expected an object with field, operator and value.")
        return self._read_condition(raw, where)

    def _read_condition(self, raw: Mapping[str, JSONValue], where: Where) -> Condition:
        name, operator = raw.get("field"), raw.get("operator")
        if not isinstance(name, str) or not isinstance(operator, str):
            raise BadFilter(f"{_named(where)}: field and operator must be texts.")
        field = self._find_field(name, where)
        if operator not in OPERATORS:
            raise BadFilter(f"{_named(where)}: there is no operator {operator[:40]!r}.")
        operator = _ALIASES.get(operator, operator)
        if operator not in _OPERATORS[field.kind]:
            allowed = ", ".join(sorted(_OPERATORS[field.kind]))
            raise BadFilter(f"{_named(where)}: {name} cannot be compared with {operator}; use one of {allowed}.")
        if operator in _PRESENCE:
            return Condition(field, operator)
        return Condition(field, operator, self._read_operands(field, operator, raw.get("value"), where))

    def _find_field(self, name: str, where: Where) -> FieldRef:
        key = name.removeprefix("custom.")
        if key == name and name in _CORE:
            return _CORE[name]
        spec = self._specs.get(key)
        if spec is None:
            raise BadFilter(f"{_named(where)}: there is no field {name[:80]!r}.")
        return FieldRef(key, _KINDS.get(spec.type, Kind.TEXT), is_custom=True)

    def _read_operands(self, field: FieldRef, operator: str, value: JSONValue, where: Where) -> tuple[JSONValue, ...]:
        if operator != "in":
            return (self._read_operand(field, operator, value, where),)
        if not isinstance(value, list) or not value:
            raise BadFilter(f'{_named(where)}: "in" needs at least one value.')
        if len(value) > MAX_CHOICES:
            raise BadFilter(f'{_named(where)}: "in" has {len(value)} values; at most {MAX_CHOICES} are allowed.')
        return tuple(self._read_operand(field, operator, one, where) for one in value)

    def _read_operand(self, field: FieldRef, operator: str, value: JSONValue, where: Where) -> JSONValue:
        try:
            operand = parse_value(_spec_for(field), value)
        except BadValue as error:
            raise BadFilter(f"{_named(where)}: {error.message}") from error
        if operand is None:
            raise BadFilter(f"{_named(where)}: {field.name} {operator} needs a value.")
        if isinstance(operand, str) and len(operand) > MAX_OPERAND:
            raise BadFilter(f"{_named(where)}: the value is longer than {MAX_OPERAND} characters.")
        return operand.lower() if field.name == "email" and isinstance(operand, str) else operand


_TEXT_SPEC: Final = FieldSpec(key="", label="", type=FieldType.TEXT)
_OPERAND_TYPES: Final = {
    Kind.NUMBER: FieldType.NUMBER,
    Kind.BOOLEAN: FieldType.BOOLEAN,
    Kind.DATE: FieldType.DATE,
    Kind.INSTANT: FieldType.DATE,
}


def _spec_for(field: FieldRef) -> FieldSpec:
    """Return what an operand must look like; a choice is compared as text, for its options may change later."""
    return replace(_TEXT_SPEC, label=field.name, type=_OPERAND_TYPES.get(field.kind, FieldType.TEXT))
