"""Compiles a segment's filter to one boolean SQL expression in which everything a user wrote is a parameter.

The expression speaks of ``c``, a row of ``contacts_contact``, and ``w``, its link to the workspace. No form of it can
raise on a stored value, whatever was stored: numbers are compared as jsonb behind a check of their type, dates as ISO
texts behind a check of their shape. It is true or not: where NOT stands before it, it is never null.
"""

import json
from collections.abc import Callable
from typing import Final

from postroom.core.contacts.rules.filter_days import NEGATED, anniversaries, bounds_of, end_of, start_of
from postroom.core.contacts.rules.filter_language import PRESENCE, Condition, Filter, Group, Kind
from postroom.core.contacts.rules.filter_links import COMPILERS as LINK_COMPILERS
from postroom.core.contacts.rules.filter_links import Room
from postroom.core.contacts.types import Sql

_COMPARISONS: Final = {"eq": "=", "neq": "<>", "gt": ">", "lt": "<", "gte": ">=", "lte": "<="}
_ISO_DAY: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


def compile_filter(filter_: Filter, room: Room, *, as_sets: bool = False) -> Sql:
    """Return the filter as one parenthesised boolean expression over ``c`` and ``w``.

    What must hold in any case is looked up or joined as the planner sees fit. Below an "any" it cannot join, and would
    look up everybody one by one: there each condition on what is tied to people is a set, made once.
    """
    is_choice = not filter_.matches_all and len(filter_.parts) > 1
    parts = [compile_part(part, room, as_sets=as_sets or is_choice) for part in filter_.parts]
    joiner = " AND " if filter_.matches_all else " OR "
    text = joiner.join(f"({part.text})" for part in parts)
    return Sql(f"({text})", tuple(param for part in parts for param in part.params))


def compile_part(part: Condition | Group, room: Room, *, as_sets: bool = False) -> Sql:
    """Return one condition, or one group, as a boolean expression."""
    if isinstance(part, Group):
        return compile_filter(part, room, as_sets=as_sets)
    if part.field.kind in LINK_COMPILERS:
        return LINK_COMPILERS[part.field.kind](part, room, as_sets)
    return _presence(part) if part.operator in PRESENCE else _COMPILERS[part.field.kind](part, room)


def _text(condition: Condition, room: Room) -> Sql:
    """A person without the value is neither equal nor unequal to anything."""
    value, plain = _as_text(condition), _column(condition)
    operator, operands = condition.operator, condition.operands
    if operator == "in":
        return Sql(f"{plain.text} = ANY(%s)", (*plain.params, list(operands)))
    if operator == "eq":
        return Sql(f"{plain.text} = %s", (*plain.params, operands[0]))
    if operator == "neq":
        return _given(value, "<> %s", operands[0])
    if operator == "not_in":
        return _given(value, "<> ALL(%s)", list(operands))
    negation = "NOT " if operator == "not_contains" else ""
    return _given(value, f"{negation}ILIKE %s", _like(str(operands[0]), operator))


def _given(value: Sql, comparison: str, param: object) -> Sql:
    return Sql(f"{value.text} {comparison} AND {value.text} <> ''", (*value.params, param, *value.params))


def _number(condition: Condition, room: Room) -> Sql:
    return _typed_json(condition, "number")


def _boolean(condition: Condition, room: Room) -> Sql:
    return _typed_json(condition, "boolean")


def _typed_json(condition: Condition, json_type: str) -> Sql:
    key = condition.field.name
    guard = f"jsonb_typeof(c.custom->%s) = '{json_type}'"
    operands = [json.dumps(one) for one in condition.operands]
    if condition.operator == "in":
        return Sql(f"c.custom->%s = ANY(%s::jsonb[]) AND {guard}", (key, operands, key))
    if condition.operator == "between":
        both = "c.custom->%s >= %s::jsonb AND c.custom->%s <= %s::jsonb"
        return Sql(f"{both} AND {guard}", (key, operands[0], key, operands[1], key))
    return Sql(f"c.custom->%s {_COMPARISONS[condition.operator]} %s::jsonb AND {guard}", (key, operands[0], key))


def _date(condition: Condition, room: Room) -> Sql:
    """ISO days sort as texts do; a value of another shape is no day, and none of these holds for it."""
    key = condition.field.name
    guard, day = Sql(f"(c.custom->>%s) ~ '{_ISO_DAY}'", (key,)), '(c.custom->>%s) COLLATE "C"'
    if condition.operator == "in":
        return Sql(f"{guard.text} AND {day} = ANY(%s)", (*guard.params, key, list(condition.operands)))
    if condition.operator == "anniversary_today":
        params = (*guard.params, key, anniversaries(room.today))
        return Sql(f"{guard.text} AND substr(c.custom->>%s, 6) = ANY(%s)", params)
    bounds = bounds_of(condition, room.today)
    text = " AND ".join(f"{day} {comparison} %s" for comparison, _ in bounds)
    params = tuple(param for _, bound in bounds for param in (key, bound.isoformat()))
    negation = "NOT " if condition.operator in NEGATED else ""
    return Sql(f"{guard.text} AND {negation}({text})", (*guard.params, *params))


def _multiselect(condition: Condition, room: Room) -> Sql:
    operator = condition.operator
    function = "jsonb_exists_all" if operator == "has_all" else "jsonb_exists_any"
    words = [str(one) for one in condition.operands]
    contains = Sql(f"COALESCE({function}(c.custom->%s, %s::text[]), false)", (condition.field.name, words))
    if operator in {"not_has", "has_none"}:
        return Sql(f"NOT {contains.text}", contains.params)
    if operator == "not_contains":
        present = _present(condition)
        return Sql(f"NOT {contains.text} AND {present.text}", (*contains.params, *present.params))
    return contains


def _instant(condition: Condition, room: Room) -> Sql:
    """Days of the workspace's own calendar: after a day means from the next one on."""
    column = f"c.{condition.field.name}"
    if condition.operator == "anniversary_today":
        shown = f"to_char({column} AT TIME ZONE %s, 'MM-DD')"
        return Sql(f"{shown} = ANY(%s)", (room.timezone, anniversaries(room.today)))
    parts = []
    for comparison, day in bounds_of(condition, room.today):
        edge = start_of if comparison in {"<", ">="} else end_of
        parts.append((f"{column} {'<' if comparison in {'<', '<='} else '>='} %s", edge(day, room.timezone)))
    negation = "NOT " if condition.operator in NEGATED else ""
    return Sql(f"{negation}({' AND '.join(text for text, _ in parts)})", tuple(param for _, param in parts))


def _presence(condition: Condition) -> Sql:
    present = _present(condition)
    return present if condition.operator == "is_set" else Sql(f"NOT ({present.text})", present.params)


def _present(condition: Condition) -> Sql:
    if condition.field.kind is Kind.INSTANT:
        return Sql(f"c.{condition.field.name} IS NOT NULL")
    value = _as_text(condition)
    return Sql(f"{value.text} NOT IN ('', '[]')" if condition.field.is_custom else f"{value.text} <> ''", value.params)


def _as_text(condition: Condition) -> Sql:
    """The value as a text, empty when there is none."""
    column = _column(condition)
    return Sql(f"COALESCE({column.text}, '')", column.params)


def _column(condition: Condition) -> Sql:
    """The value as a text, null when there is none. Column names come from a fixed table, never from the filter."""
    if condition.field.is_custom:
        return Sql("c.custom->>%s", (condition.field.name,))
    return Sql(f"c.{condition.field.name}")


def _like(text: str, operator: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return ("" if operator == "starts_with" else "%") + escaped + ("" if operator == "ends_with" else "%")


_COMPILERS: Final[dict[Kind, Callable[[Condition, Room], Sql]]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
    Kind.MULTISELECT: _multiselect,
    Kind.INSTANT: _instant,
}
