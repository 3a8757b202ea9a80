"""Reads a segment's filter into typed conditions, refusing whatever it cannot understand."""

from collections.abc import Iterable, Mapping

from postroom.core.contacts.errors import BadFilter
from postroom.core.contacts.rules.filter_language import (
    ALIASES,
    CORE_FIELDS,
    KINDS,
    MAX_CONDITIONS,
    MAX_DEPTH,
    OPERATORS,
    OPERATORS_OF,
    Condition,
    FieldRef,
    Filter,
    Group,
    Kind,
)
from postroom.core.contacts.rules.filter_operands import read_operands
from postroom.core.contacts.types import FieldSpec
from postroom.kit.types import JSONValue

_Where = tuple[int, ...]


def parse_filter(filter_: JSONValue, fields: Iterable[FieldSpec]) -> Filter:
    """Return the typed form of ``{"match": "all" | "any", "conditions": [...]}``; a condition may be a group itself.

    Raises BadFilter saying which condition it is about.
    """
    reader = _Reader({spec.key: spec for spec in fields})
    group = reader.read_group(filter_, (), depth=1)
    if reader.count > MAX_CONDITIONS:
        raise BadFilter(f"The filter has {reader.count} conditions; at most {MAX_CONDITIONS} are allowed.")
    return group


def _named(where: _Where) -> str:
    """Return the place as a person counts it: ``Condition 2.1`` is the first one of the group that stands second."""
    return f"Condition {'.'.join(map(str, where))}" if where else "The filter"


class _Reader:
    """Walks one filter, counting its conditions."""

    def __init__(self, specs: Mapping[str, FieldSpec]) -> None:
        self._specs = specs
        self.count = 0

    def read_group(self, raw: JSONValue, where: _Where, depth: int) -> Group:
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

    def _read_part(self, raw: JSONValue, where: _Where, depth: int) -> Condition | Group:
        if isinstance(raw, dict) and "conditions" in raw:
            return self.read_group(raw, where, depth + 1)
        self.count += 1
        if not isinstance(raw, dict):
            raise BadFilter(f"{_named(where)}: expected an object with field, operator and value.")
        return self._read_condition(raw, where)

    def _read_condition(self, raw: Mapping[str, JSONValue], where: _Where) -> Condition:
        name, operator = raw.get("field"), raw.get("operator")
        if not isinstance(name, str) or not isinstance(operator, str):
            raise BadFilter(f"{_named(where)}: field and operator must be texts.")
        field = self._find_field(name, where)
        if operator not in OPERATORS:
            raise BadFilter(f"{_named(where)}: there is no operator {operator[:40]!r}.")
        operator = ALIASES.get(operator, operator)
        if operator not in OPERATORS_OF[field.kind]:
            allowed = ", ".join(sorted(OPERATORS_OF[field.kind]))
            raise BadFilter(f"{_named(where)}: {name} cannot be compared with {operator}; use one of {allowed}.")
        try:
            return Condition(field, operator, read_operands(field, operator, raw.get("value")))
        except BadFilter as error:
            raise BadFilter(f"{_named(where)}: {error.message}") from error

    def _find_field(self, name: str, where: _Where) -> FieldRef:
        key = name.removeprefix("custom.")
        if key == name and name in CORE_FIELDS:
            return CORE_FIELDS[name]
        spec = self._specs.get(key)
        if spec is None:
            raise BadFilter(f"{_named(where)}: there is no field {name[:80]!r}.")
        return FieldRef(key, KINDS.get(spec.type, Kind.TEXT), is_custom=True)
