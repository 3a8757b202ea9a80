"""The issues of an unfit request in the words clients of useSend read: those of Zod 3.

Our own types of values (``schemas/shared.py``) raise ready issues; Pydantic's own faults are translated by one table.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic_core import ErrorDetails, PydanticCustomError

from postroom.kit.types import JSONObject, JSONValue

_READY: Final = "issues"
"""The type of our own faults, and the fact in which they carry issues; the paths begin below the faulty value."""

_EXPECTED: Final = {
    "string_type": "string",
    "bool_type": "boolean",
    "list_type": "array",
    "dict_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
}
_REQUIRED: Final = {"to": ("string", "array"), "contactIds": ("array",)}
"""What the contract asks for and is no text: the types that the value may have."""


def list_issues(faults: Iterable[ErrorDetails]) -> list[JSONValue]:
    """Return the issues of the faults, in their order."""
    return [issue for fault in faults for issue in _issues(fault)]


def unfit(*issues: JSONObject) -> PydanticCustomError:
    """Return a fault that a validator raises for a value with these issues."""
    return PydanticCustomError(_READY, "The value is unfit", {_READY: list(issues)})


def custom(message: str, *path: str | int) -> JSONObject:
    """Return the issue of a rule of our own."""
    return {"code": "custom", "path": [*path], "message": message}


def wrong_type(expected: str, received: str, *path: str | int) -> JSONObject:
    """Return the issue of a value that has another type than the expected one; ``undefined`` is no value at all."""
    message = "Required" if received == "undefined" else f"Expected {expected}, received {received}"
    return {"code": "invalid_type", "expected": expected, "received": received, "path": [*path], "message": message}


def wrong_choice(options: Sequence[str], received: JSONValue, *path: str | int) -> JSONObject:
    """Return the issue of a value that is none of ``options``."""
    choices = " | ".join(f"'{option}'" for option in options)
    if not isinstance(received, str):
        return wrong_type(choices, type_word(received), *path)
    return {
        "code": "invalid_enum_value",
        "received": received,
        "options": [*options],
        "path": [*path],
        "message": f"Invalid enum value. Expected {choices}, received '{received}'",
    }


def too_small(kind: str, minimum: int, *path: str | int) -> JSONObject:
    """Return the issue of a ``string``, ``array`` or ``number`` below its bound."""
    return _out_of_bounds("too_small", "minimum", _LEAST[kind].format(minimum), kind, minimum, path)


def too_big(kind: str, maximum: int, *path: str | int, message: str = "") -> JSONObject:
    """Return the issue of a ``string``, ``array`` or ``number`` above its bound, in the default words or in others."""
    return _out_of_bounds("too_big", "maximum", message or _MOST[kind].format(maximum), kind, maximum, path)


def bad_time(*path: str | int) -> JSONObject:
    """Return the issue of a text that is no time."""
    return {"code": "invalid_string", "validation": "datetime", "path": [*path], "message": "Invalid datetime"}


def no_union(*unions: Sequence[JSONObject]) -> JSONObject:
    """Return the issue of a value that fits none of the types it may have, with the issues each of them finds."""
    errors: list[JSONValue] = [{"issues": [*issues], "name": "ZodError"} for issues in unions]
    return {"code": "invalid_union", "unionErrors": errors, "path": [], "message": "Invalid input"}


def type_word(value: JSONValue) -> str:
    """Return the word Zod has for the type of a JSON value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", int: "number", float: "number", list: "array", tuple: "array"}
    return names.get(type(value), "object")


_LEAST: Final = {
    "string": "String must contain at least {} character(s)",
    "array": "Array must contain at least {} element(s)",
    "number": "Number must be greater than or equal to {}",
}
_MOST: Final = {
    "string": "String must contain at most {} character(s)",
    "array": "Array must contain at most {} element(s)",
    "number": "Number must be less than or equal to {}",
}


def _out_of_bounds(
    code: str, bound: str, message: str, kind: str, limit: int, path: tuple[str | int, ...]
) -> JSONObject:
    shape: JSONObject = {"code": code, bound: limit, "type": kind, "inclusive": True, "exact": False}
    return {**shape, "path": [*path], "message": message}


def _issues(fault: ErrorDetails) -> list[JSONObject]:
    if fault["type"] == _READY:
        found: list[JSONObject] = fault["ctx"][_READY]
    else:
        found = [_TRANSLATE.get(fault["type"], _other)(fault)]
    return [_below(fault["loc"], issue) for issue in found]


def _below(loc: Sequence[str | int], issue: Mapping[str, Any]) -> JSONObject:
    """Return the issue of a part of a whole: its paths begin at the whole."""
    moved: JSONObject = {**issue, "path": [*loc, *issue["path"]]}
    if "unionErrors" in issue:
        errors = issue["unionErrors"]
        moved["unionErrors"] = [{**one, "issues": [_below(loc, part) for part in one["issues"]]} for one in errors]
    return moved


def _unfit_type(fault: ErrorDetails) -> JSONObject:
    return wrong_type(_EXPECTED[fault["type"]], type_word(fault["input"]))


def _missing(fault: ErrorDetails) -> JSONObject:
    if not fault["loc"]:
        return wrong_type("object", "undefined")
    kinds = _REQUIRED.get(str(fault["loc"][-1]), ("string",))
    issues = [wrong_type(kind, "undefined") for kind in kinds]
    return issues[0] if len(issues) == 1 else no_union(*([issue] for issue in issues))


def _too_short(fault: ErrorDetails) -> JSONObject:
    return too_small(type_word(fault["input"]), fault["ctx"]["min_length"])


def _too_long(fault: ErrorDetails) -> JSONObject:
    return too_big(type_word(fault["input"]), fault["ctx"]["max_length"])


def _other(fault: ErrorDetails) -> JSONObject:
    return custom(fault["msg"])


_TRANSLATE: Final[dict[str, Callable[[ErrorDetails], JSONObject]]] = {
    **dict.fromkeys(_EXPECTED, _unfit_type),
    "missing": _missing,
    "string_too_short": _too_short,
    "too_short": _too_short,
    "string_too_long": _too_long,
    "too_long": _too_long,
}
