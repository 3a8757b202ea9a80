"""Compiles a segment's filter to one boolean SQL expression in which everything a user wrote is a parameter.

The expression speaks of ``c``, a row of ``contacts_contact``. No form of it can raise on a stored value, whatever was
stored: numbers are compared as jsonb behind a check of their type, dates as ISO texts behind a check of their shape.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from postroom.core.contacts.rules.filters import Condition, Filter, Group, Kind

Param = Any


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL and the values of its placeholders."""

    text: str
    params: tuple[Param, ...] = ()


@dataclass(frozen=True, slots=True)
class Room:
    """Whose tags and lists a filter speaks of, and where its days begin."""

    workspace_id: int
    timezone: str = "UTC"


_COMPARISONS: Final = {
    "eq": "=",
    "neq": "<>",
    "gt": ">",
    "lt": "<",
    "gte": ">=",
    "lte": "<=",
    "after": ">",
    "before": "<",
}
_HAS_TAG: Final = (
    "EXISTS (SELECT 1 FROM contacts_contacttag x JOIN contacts_tag t ON t.id = x.tag_id"
    " WHERE x.contact_id = c.id AND t.workspace_id = %s{})"
)
_TAG_NAMED: Final = " AND lower(t.name) IN (SELECT lower(n) FROM unnest(%s::text[]) n)"
_HAS_LIST: Final = (
    "EXISTS (SELECT 1 FROM contacts_listmember m JOIN contacts_list l ON l.id = m.list_id"
    " WHERE m.contact_id = c.id AND m.status = 'subscribed' AND l.workspace_id = %s{})"
)
_LIST_NAMED: Final = " AND EXISTS (SELECT 1 FROM unnest(%s::text[]) n WHERE lower(n) IN (lower(l.name), l.uid::text))"


def compile_filter(filter_: Filter, room: Room) -> Sql:
    """Return the filter as one parenthesised boolean expression over ``c``."""
    parts = [
        compile_filter(part, room) if isinstance(part, Group) else _compile_condition(part, room)
        for part in filter_.parts
    ]
    joiner = " AND " if filter_.matches_all else " OR "
    text = joiner.join(f"({part.text})" for part in parts)
    return Sql(f"({text})", tuple(param for part in parts for param in part.params))


def _compile_condition(condition: Condition, room: Room) -> Sql:
    if condition.operator in {"is_set", "is_not_set"} and condition.field.kind not in {Kind.TAG, Kind.LIST}:
        return _presence(condition)
    return _COMPILERS[condition.field.kind](condition, room)


def _tag(condition: Condition, room: Room) -> Sql:
    return _membership(condition, room, exists=_HAS_TAG, named=_TAG_NAMED)


def _list(condition: Condition, room: Room) -> Sql:
    return _membership(condition, room, exists=_HAS_LIST, named=_LIST_NAMED)


def _membership(condition: Condition, room: Room, *, exists: str, named: str) -> Sql:
    negation = "NOT " if condition.operator in {"not_has", "is_not_set"} else ""
    if condition.operator in {"is_set", "is_not_set"}:
        return Sql(negation + exists.format(""), (room.workspace_id,))
    return Sql(negation + exists.format(named), (room.workspace_id, list(condition.operands)))


def _text(condition: Condition, room: Room) -> Sql:
    value = _as_text(condition)
    operator, operands = condition.operator, condition.operands
    if operator == "in":
        return Sql(f"{value.text} = ANY(%s)", (*value.params, list(operands)))
    if operator in {"eq", "neq"}:
        # A person without the value is neither equal nor unequal to anything.
        return Sql(
            f"{value.text} {_COMPARISONS[operator]} %s AND {value.text} <> ''",
            (*value.params, operands[0], *value.params),
        )
    pattern = _like(str(operands[0]), starts=operator == "starts_with")
    negation = "NOT " if operator == "not_contains" else ""
    return Sql(f"{value.text} {negation}ILIKE %s AND {value.text} <> ''", (*value.params, pattern, *value.params))


def _number(condition: Condition, room: Room) -> Sql:
    return _typed_json(condition, "number")


def _boolean(condition: Condition, room: Room) -> Sql:
    return _typed_json(condition, "boolean")


def _typed_json(condition: Condition, json_type: str) -> Sql:
    key = condition.field.name
    guard = f"jsonb_typeof(c.custom->%s) = '{json_type}' AND c.custom->%s"
    if condition.operator == "in":
        return Sql(f"{guard} = ANY(%s::jsonb[])", (key, key, [json.dumps(one) for one in condition.operands]))
    comparison = _COMPARISONS[condition.operator]
    return Sql(f"{guard} {comparison} %s::jsonb", (key, key, json.dumps(condition.operands[0])))


def _date(condition: Condition, room: Room) -> Sql:
    key = condition.field.name
    guard = r"(c.custom->>%s) ~ '^\d{4}-\d{2}-\d{2}$' AND (c.custom->>%s) COLLATE " + '"C"'
    if condition.operator == "in":
        return Sql(f"{guard} = ANY(%s)", (key, key, list(condition.operands)))
    return Sql(f"{guard} {_COMPARISONS[condition.operator]} %s", (key, key, condition.operands[0]))


def _multiselect(condition: Condition, room: Room) -> Sql:
    key, operator = condition.field.name, condition.operator
    contains = Sql(
        "COALESCE(jsonb_exists_any(c.custom->%s, %s::text[]), false)", (key, [str(one) for one in condition.operands])
    )
    if operator == "not_has":
        return Sql(f"NOT {contains.text}", contains.params)
    if operator == "not_contains":
        present = _present(condition)
        return Sql(f"NOT {contains.text} AND {present.text}", (*contains.params, *present.params))
    return contains


def _instant(condition: Condition, room: Room) -> Sql:
    """Days of the workspace's own calendar: after a day means from the next one on."""
    column = f"c.{condition.field.name}"
    start, end = _day(str(condition.operands[0]), room.timezone)
    if condition.operator == "eq":
        return Sql(f"{column} >= %s AND {column} < %s", (start, end))
    if condition.operator == "neq":
        return Sql(f"{column} < %s OR {column} >= %s", (start, end))
    if condition.operator in {"lt", "before"}:
        return Sql(f"{column} < %s", (start,))
    if condition.operator == "lte":
        return Sql(f"{column} < %s", (end,))
    return Sql(f"{column} >= %s", (start if condition.operator == "gte" else end,))


def _presence(condition: Condition) -> Sql:
    present = _present(condition)
    return present if condition.operator == "is_set" else Sql(f"NOT ({present.text})", present.params)


def _present(condition: Condition) -> Sql:
    if condition.field.kind is Kind.INSTANT:
        return Sql(f"c.{condition.field.name} IS NOT NULL")
    value = _as_text(condition)
    return Sql(f"{value.text} NOT IN ('', '[]')" if condition.field.is_custom else f"{value.text} <> ''", value.params)


def _as_text(condition: Condition) -> Sql:
    """The value as a text, empty when there is none. Column names come from a fixed table, never from the filter."""
    if condition.field.is_custom:
        return Sql("COALESCE(c.custom->>%s, '')", (condition.field.name,))
    return Sql(f"COALESCE(c.{condition.field.name}, '')")


def _like(text: str, *, starts: bool) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{escaped}%" if starts else f"%{escaped}%"


def _day(text: str, timezone: str) -> tuple[datetime, datetime]:
    day = date.fromisoformat(text)
    zone = ZoneInfo(timezone)
    following = day + timedelta(days=1) if day < date.max else day
    return datetime.combine(day, time.min, zone), datetime.combine(following, time.min, zone)


_COMPILERS: Final[dict[Kind, Callable[[Condition, Room], Sql]]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
    Kind.MULTISELECT: _multiselect,
    Kind.INSTANT: _instant,
    Kind.TAG: _tag,
    Kind.LIST: _list,
}
