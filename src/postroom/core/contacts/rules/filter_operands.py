"""Reads the value of a condition, typed by what it is compared with."""

from dataclasses import replace
from typing import Final
from uuid import UUID

from postroom.core.contacts.errors import BadFilter, BadValue
from postroom.core.contacts.rules.filter_language import (
    MAX_CHOICES,
    MAX_OPERAND,
    WITH_CHOICES,
    WITH_SPAN,
    WITHOUT_VALUE,
    Deeds,
    FieldRef,
    Kind,
    Operand,
    Span,
    Unit,
)
from postroom.core.contacts.rules.values import parse_value
from postroom.core.contacts.types import FieldSpec, FieldType, SubscriptionStatus, SuppressionReason
from postroom.kit.types import JSONObject, JSONValue

MAX_CAMPAIGNS: Final = 50
MAX_TIMES: Final = 1_000
MAX_AMOUNT: Final = {Unit.DAYS: 36_500, Unit.WEEKS: 5_200, Unit.MONTHS: 1_200, Unit.YEARS: 100}

_TEXT_SPEC: Final = FieldSpec(key="", label="", type=FieldType.TEXT)
_OPERAND_TYPES: Final = {
    Kind.NUMBER: FieldType.NUMBER,
    Kind.BOOLEAN: FieldType.BOOLEAN,
    Kind.FLAG: FieldType.BOOLEAN,
    Kind.DATE: FieldType.DATE,
    Kind.INSTANT: FieldType.DATE,
}
_WORDS: Final = {Kind.STATUS: set(SubscriptionStatus.values), Kind.SUPPRESSION: set(SuppressionReason.values)}


def read_operands(field: FieldRef, operator: str, value: JSONValue) -> tuple[Operand, ...]:
    """Return what a condition compares with. Raises BadFilter, without the place."""
    if operator in WITHOUT_VALUE:
        return ()
    if field.kind is Kind.DEED:
        return (_read_deeds(value),)
    if operator in WITH_SPAN:
        return (_read_span(value),)
    if operator == "between":
        return _read_bounds(field, value)
    if operator in WITH_CHOICES:
        return _read_choices(field, operator, value)
    return (_read_operand(field, operator, value),)


def _read_choices(field: FieldRef, operator: str, value: JSONValue) -> tuple[Operand, ...]:
    if not isinstance(value, list) or not value:
        raise BadFilter(f'"{operator}" needs at least one value.')
    if len(value) > MAX_CHOICES:
        raise BadFilter(f'"{operator}" has {len(value)} values; at most {MAX_CHOICES} are allowed.')
    return tuple(_read_operand(field, operator, one) for one in value)


def _read_bounds(field: FieldRef, value: JSONValue) -> tuple[Operand, ...]:
    if not isinstance(value, list) or len(value) != 2:
        raise BadFilter('"between" needs two values: the first and the last that count.')
    return tuple(_read_operand(field, "between", one) for one in value)


def _read_operand(field: FieldRef, operator: str, value: JSONValue) -> JSONValue:
    try:
        operand = parse_value(_spec_for(field), value)
    except BadValue as error:
        raise BadFilter(error.message) from error
    if operand is None:
        raise BadFilter(f"{field.name} {operator} needs a value.")
    if isinstance(operand, str) and len(operand) > MAX_OPERAND:
        raise BadFilter(f"the value is longer than {MAX_OPERAND} characters.")
    if (words := _WORDS.get(field.kind)) and operand not in words:
        raise BadFilter(f"{field.name} is one of {', '.join(sorted(words))}.")
    return operand.lower() if field.name == "email" and isinstance(operand, str) else operand


def _spec_for(field: FieldRef) -> FieldSpec:
    """Return what an operand must look like; a choice is compared as text, for its options may change later."""
    return replace(_TEXT_SPEC, label=field.name, type=_OPERAND_TYPES.get(field.kind, FieldType.TEXT))


def _read_span(value: JSONValue) -> Span:
    """Read ``{"amount": 30, "unit": "days"}``; a bare number counts days."""
    raw: JSONObject = value if isinstance(value, dict) else {"amount": value}
    try:
        unit = Unit(raw.get("unit") or "days")
    except ValueError as error:
        raise BadFilter(f"a length of time is counted in {', '.join(unit.value for unit in Unit)}.") from error
    return Span(_read_count(raw.get("amount"), "a length of time", least=0, most=MAX_AMOUNT[unit]), unit)


def _read_deeds(value: JSONValue) -> Deeds:
    """Read ``{"campaign": uid or list of uids, "within": span, "times": n}``, of which everything may be left out."""
    raw = {} if value is None or value == "" else value
    if not isinstance(raw, dict) or not raw.keys() <= {"campaign", "within", "times"}:
        raise BadFilter("expected an object with campaign, within and times, or any of them.")
    named = raw.get("campaign") or []
    return Deeds(
        campaigns=_read_campaigns(named if isinstance(named, list) else [named]),
        within=None if raw.get("within") in (None, "") else _read_span(raw["within"]),
        times=1 if raw.get("times") in (None, "") else _read_count(raw["times"], "times", least=1, most=MAX_TIMES),
    )


def _read_campaigns(named: list[JSONValue]) -> tuple[UUID, ...]:
    if len(named) > MAX_CAMPAIGNS:
        raise BadFilter(f"{len(named)} campaigns are named; at most {MAX_CAMPAIGNS} are allowed.")
    try:
        return tuple(UUID(one) if isinstance(one, str) else UUID(None) for one in named)
    except (ValueError, TypeError) as error:
        raise BadFilter("a campaign is named by its uid.") from error


def _read_count(value: JSONValue, name: str, *, least: int, most: int) -> int:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and least <= int(text) <= most):
        raise BadFilter(f"{name} needs a whole number from {least} to {most:,}.")
    return int(text)
