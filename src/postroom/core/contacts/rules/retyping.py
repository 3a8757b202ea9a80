"""Reads stored values as another type, refusing whatever would lose something by it."""

import re
from decimal import Decimal
from typing import Final

from postroom.core.contacts.errors import BadValue
from postroom.core.contacts.rules.values import parse_value
from postroom.core.contacts.types import FieldSpec, FieldType
from postroom.kit.types import JSONValue

_CODE: Final = re.compile(r"[+-]?0[0-9]|\+")
_WORDS: Final = frozenset({FieldType.TEXT, FieldType.URL, FieldType.EMAIL, FieldType.SELECT})


def convert_value(spec: FieldSpec, value: JSONValue) -> JSONValue:
    """Return a stored value as the type of ``spec`` has it; None for an empty one.

    Raises BadValue when it is no such value, or when the way back would not lead to it: a number with leading zeros, a
    day with a time, several choices.
    """
    if spec.type in _WORDS:
        value = _as_text(spec, value)
    elif spec.type is FieldType.MULTISELECT and not isinstance(value, list):
        value = [_as_text(spec, value)]
    converted = parse_value(spec, value)
    if spec.type is FieldType.NUMBER and isinstance(value, str):
        _check_number(spec, value.strip(), converted)
    if spec.type is FieldType.DATE and isinstance(value, str) and ("T" in value or ":" in value):
        raise BadValue(f"{spec.label}: {value[:60]!r} has a time of day.", field=spec.label)
    return converted


def _as_text(spec: FieldSpec, value: JSONValue) -> JSONValue:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, list) and spec.type is FieldType.TEXT and all(isinstance(word, str) for word in value):
        return "; ".join(map(str, value))
    if isinstance(value, list) and len(value) < 2:
        return value[0] if value else None
    if isinstance(value, (list, dict)):
        raise BadValue(f"{spec.label}: {str(value)[:60]} is more than one value.", field=spec.label)
    return value


def _check_number(spec: FieldSpec, text: str, number: JSONValue) -> None:
    """A postcode or a phone number is not the number it looks like, and a float holds some 15 digits."""
    if text and (_CODE.match(text) or Decimal(text) != Decimal(str(number))):
        raise BadValue(f"{spec.label}: {text[:60]!r} would lose digits as a number.", field=spec.label)
