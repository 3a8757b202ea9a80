"""The issues of an unfit request in the words clients of useSend read, made from Pydantic's by one table."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from pydantic_core import ErrorDetails

from postroom.kit.types import JSONObject, JSONValue

_EXPECTED: Final = {
    "string_type": "string",
    "bool_type": "boolean",
    "int_type": "number",
    "list_type": "array",
    "dict_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
    "datetime_type": "string",
}
UNION: Final = "invalid_union"
"""The type of our own fault for a value that is neither a text nor a list of texts."""


def list_issues(faults: Iterable[ErrorDetails]) -> list[JSONValue]:
    """Return one issue for each fault, in its order."""
    return [_issue(fault) for fault in faults]


def _issue(fault: ErrorDetails) -> JSONObject:
    path: list[JSONValue] = [*fault["loc"]]
    make = _KINDS.get(fault["type"], _other)
    return {**make(fault), "path": path}


def _unfit_type(fault: ErrorDetails) -> JSONObject:
    return _wrong_type(_EXPECTED[fault["type"]], _received(fault["input"]))


def _missing(fault: ErrorDetails) -> JSONObject:
    name = str(fault["loc"][-1]) if fault["loc"] else ""
    if name == "to":
        return _neither(fault["loc"], "undefined")
    return {**_wrong_type("string" if name else "object", "undefined"), "message": "Required"}


def _union(fault: ErrorDetails) -> JSONObject:
    return _neither(fault["loc"], _received(fault["input"]))


def _neither(loc: tuple[int | str, ...], received: str) -> JSONObject:
    path: list[JSONValue] = [*loc]
    unions: list[JSONValue] = [
        {"issues": [{**_wrong_type(expected, received), "path": path}], "name": "ZodError"}
        for expected in ("string", "array")
    ]
    return {"code": "invalid_union", "unionErrors": unions, "message": "Invalid input"}


def _too_short(fault: ErrorDetails) -> JSONObject:
    return _size("too_small", "minimum", fault["ctx"]["min_length"], isinstance(fault["input"], str))


def _too_long(fault: ErrorDetails) -> JSONObject:
    issue = _size("too_big", "maximum", fault["ctx"]["max_length"], isinstance(fault["input"], str))
    if not fault["loc"]:
        issue["message"] = f"Cannot send more than {fault['ctx']['max_length']} emails in a single bulk request"
    return issue


def _size(code: str, bound: str, length: int, is_text: bool) -> JSONObject:
    most = "at least" if code == "too_small" else "at most"
    kind, unit = ("string", "character(s)") if is_text else ("array", "element(s)")
    verb = "String must contain" if is_text else "Array must contain"
    message = f"{verb} {most} {length} {unit}"
    return {"code": code, bound: length, "type": kind, "inclusive": True, "exact": False, "message": message}


def _bad_time(fault: ErrorDetails) -> JSONObject:
    return {"code": "invalid_string", "validation": "datetime", "message": "Invalid datetime"}


def _other(fault: ErrorDetails) -> JSONObject:
    return {"code": "custom", "message": fault["msg"]}


def _wrong_type(expected: str, received: str) -> JSONObject:
    message = f"Expected {expected}, received {received}"
    return {"code": "invalid_type", "expected": expected, "received": received, "message": message}


def _received(value: Any) -> str:
    """Return the word JavaScript has for the type of a JSON value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", int: "number", float: "number", list: "array"}
    return names.get(type(value), "object")


_KINDS: Final[dict[str, Callable[[ErrorDetails], JSONObject]]] = {
    **dict.fromkeys(_EXPECTED, _unfit_type),
    "missing": _missing,
    UNION: _union,
    "string_too_short": _too_short,
    "too_short": _too_short,
    "string_too_long": _too_long,
    "too_long": _too_long,
    "bad_time": _bad_time,
}
