"""Typed values of custom fields: one reader per type, for cells, forms and JSON alike."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Final
from urllib.parse import urlsplit

from postroom.core.contacts.errors import BadAddress, BadValue
from postroom.core.contacts.rules.addresses import normalise_email
from postroom.core.contacts.rules.texts import clean_line, clean_text
from postroom.core.contacts.types import FieldSpec, FieldType
from postroom.kit.types import JSONObject, JSONValue

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,31}(?:\.[0-9]{0,340})?|\.[0-9]{1,340})\Z")
_ISO_DATE: Final = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?:[T ][0-9:.+Z-]*)?\Z")
_DOTTED_DATE: Final = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})\Z")
_MAX_NUMBER: Final = 10**30
_BOOLEANS: Final = {
    **dict.fromkeys(("true", "yes", "y", "on", "1", "t"), True),
    **dict.fromkeys(("false", "no", "n", "off", "0", "f"), False),
}


def parse_value(spec: FieldSpec, value: JSONValue) -> JSONValue:
    """Return ``value`` as the field's type has it, or None when it is empty. Raises BadValue naming the field."""
    if value is None or value == "" or value == []:
        return None
    if isinstance(value, str) and not value.strip():
        return None
    read = _READERS[spec.type](spec, value)
    return None if read in ("", []) else read  # nothing but invisible marks


def parse_custom(specs: Iterable[FieldSpec], custom: Mapping[str, JSONValue]) -> JSONObject:
    """Return custom values typed by their definitions; keys without a definition are kept as they are.

    Raises BadValue naming the first field that does not fit.
    """
    by_key = {spec.key: spec for spec in specs}
    return {key: parse_value(by_key[key], value) if key in by_key else value for key, value in custom.items()}


def guess_type(values: Iterable[str]) -> FieldType:
    """Return the narrowest type that reads every one of the values; text when there is none."""
    present = [value for value in values if value.strip()]
    if not present:
        return FieldType.TEXT
    for candidate in (FieldType.BOOLEAN, FieldType.NUMBER, FieldType.DATE):
        if candidate is FieldType.BOOLEAN and any(value.strip() in {"0", "1"} for value in present):
            continue
        if all(_reads(candidate, value) for value in present):
            return candidate
    return FieldType.MULTISELECT if any(_looks_multiple(value) for value in present) else FieldType.TEXT


def _looks_multiple(value: str) -> bool:
    """Whether a cell looks like a list of short words, as in ``policy;events``."""
    parts = value.split(";")
    return len(parts) > 1 and all(0 < len(part.strip()) <= 40 for part in parts)


def _reads(type_: FieldType, value: str) -> bool:
    try:
        parse_value(FieldSpec(key="", label="", type=type_), value)
    except BadValue:
        return False
    return True


def _bad(spec: FieldSpec, value: JSONValue, wanted: str) -> BadValue:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "…"
    return BadValue(f"{spec.label}: {shown} is not {wanted}.", field=spec.label)


def _text(spec: FieldSpec, value: JSONValue) -> JSONValue:
    if isinstance(value, str):
        return clean_text(value, label=spec.label)
    if isinstance(value, (bool, list, dict)):
        raise _bad(spec, value, "a text")
    return str(value)


def _number(spec: FieldSpec, value: JSONValue) -> JSONValue:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not -_MAX_NUMBER <= value <= _MAX_NUMBER:  # false for NaN, too
            raise _bad(spec, "that", "a number that fits")
        return value
    text = value.strip() if isinstance(value, str) else ""
    if not _NUMBER.match(text):
        raise _bad(spec, value, "a number")
    return float(text) if "." in text else int(text)


def _boolean(spec: FieldSpec, value: JSONValue) -> JSONValue:
    if isinstance(value, bool):
        return value
    found = _BOOLEANS.get(str(value).strip().lower()) if isinstance(value, (str, int)) else None
    if found is None:
        raise _bad(spec, value, "yes or no")
    return found


def _date(spec: FieldSpec, value: JSONValue) -> JSONValue:
    text = value.strip() if isinstance(value, str) else ""
    try:
        if match := _ISO_DATE.match(text):
            year, month, day = map(int, match.groups())
            return date(year, month, day).isoformat()
        if match := _DOTTED_DATE.match(text):
            day, month, year = map(int, match.groups())
            return date(year, month, day).isoformat()
    except ValueError as error:
        raise _bad(spec, value, "a day of the calendar") from error
    raise _bad(spec, value, "a date like 2026-03-31")


def _select(spec: FieldSpec, value: JSONValue) -> JSONValue:
    if not isinstance(value, str):
        raise _bad(spec, value, "a text")
    word = clean_line(value, label=spec.label)
    if not spec.options or word in spec.options:
        return word
    for option in spec.options:
        if option.lower() == word.lower():
            return option
    raise _bad(spec, value, "one of " + ", ".join(spec.options[:20]))


def _multiselect(spec: FieldSpec, value: JSONValue) -> JSONValue:
    words = value.split(";") if isinstance(value, str) else value
    if not isinstance(words, list):
        raise _bad(spec, value, "a list of texts")
    chosen = [_select(spec, word) for word in words if word != "" and (not isinstance(word, str) or word.strip())]
    return list(dict.fromkeys(word for word in chosen if isinstance(word, str)))


def _url(spec: FieldSpec, value: JSONValue) -> JSONValue:
    text = clean_line(value, label=spec.label, max_length=2000) if isinstance(value, str) else ""
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise _bad(spec, value, "a web address") from error
    if parts.scheme not in {"http", "https"} or not parts.netloc or " " in text:
        raise _bad(spec, value, "a web address (http:// or https://)")
    return text


def _email(spec: FieldSpec, value: JSONValue) -> JSONValue:
    try:
        return normalise_email(value if isinstance(value, str) else "")
    except BadAddress as error:
        raise _bad(spec, value, "an e-mail address") from error


_READERS: Final[dict[str, Callable[[FieldSpec, JSONValue], JSONValue]]] = {
    FieldType.TEXT: _text,
    FieldType.NUMBER: _number,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _date,
    FieldType.SELECT: _select,
    FieldType.MULTISELECT: _multiselect,
    FieldType.URL: _url,
    FieldType.EMAIL: _email,
}
