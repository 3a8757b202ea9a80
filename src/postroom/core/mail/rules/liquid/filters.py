"""The filters a template may use, each weighing what goes in and what comes out."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, DecimalException
from functools import wraps
from typing import Any, Final

from liquid import Environment, soft_str
from liquid.exceptions import FilterArgumentError
from liquid.undefined import Undefined

from postroom.core.mail.rules.liquid.budget import MAX_WEIGHT, BudgetedContext, BudgetExceeded, weigh

Filter = Callable[..., Any]
Number = int | float

_TAGS: Final = re.compile(r"<[^<>]*>")
_MAX_NUMBER_TEXT: Final = 40
_MAX_DATE_FORMAT: Final = 100


def _number(value: object) -> Number:
    """Read a number; what is none counts as 0, as everywhere in Liquid."""
    if isinstance(value, bool) or value is None:
        return 0
    if isinstance(value, int | float):
        return value if math.isfinite(value) else 0
    text = str(value).strip()[:_MAX_NUMBER_TEXT]
    try:
        return int(text)
    except ValueError:
        try:
            number = float(Decimal(text))
        except (DecimalException, ValueError, OverflowError):
            return 0
        return number if math.isfinite(number) else 0


def _exact(operation: Callable[[Decimal, Decimal], Decimal], left: Number, right: Number) -> Number:
    """Calculate in decimal, so that 0.1 + 0.2 is 0.3; whole numbers stay whole."""
    if isinstance(left, int) and isinstance(right, int):
        return int(operation(Decimal(left), Decimal(right)))
    return float(operation(Decimal(str(left)), Decimal(str(right))))


def _plus(value: object, other: object) -> Number:
    return _exact(lambda left, right: left + right, _number(value), _number(other))


def _minus(value: object, other: object) -> Number:
    return _exact(lambda left, right: left - right, _number(value), _number(other))


def _times(value: object, other: object) -> Number:
    return _exact(lambda left, right: left * right, _number(value), _number(other))


def _divisor(other: object) -> Number:
    number = _number(other)
    if number == 0:
        raise FilterArgumentError("cannot divide by zero", token=None)
    return number


def _divided_by(value: object, other: object) -> Number:
    left, right = _number(value), _divisor(other)
    return left // right if isinstance(left, int) and isinstance(right, int) else left / right


def _modulo(value: object, other: object) -> Number:
    left, right = _number(value), _divisor(other)
    return left % right


def _round(value: object, digits: object = 0) -> Number:
    places = int(_number(digits))
    return round(_number(value), places) if 0 < places <= 15 else round(_number(value))


def _date(value: object, pattern: object = "") -> object:
    """Format an ISO 8601 date or a Unix time; what is no date stays as it is."""
    if len(str(pattern)) > _MAX_DATE_FORMAT:
        raise FilterArgumentError("the date format is too long", token=None)
    try:
        if isinstance(value, int) or (
            isinstance(value, str) and value.isascii() and value.isdigit() and len(value) > 8
        ):
            moment = datetime.fromtimestamp(int(value), UTC)
        else:
            moment = datetime.fromisoformat(str(value))
        return moment.strftime(str(pattern)) if pattern else value
    except (ValueError, OverflowError, OSError):
        return value


def _grown(text: str, old: str, new: str, times: int) -> None:
    if len(text) + times * (len(new) - len(old)) > MAX_WEIGHT:
        raise BudgetExceeded(f"a value is larger than {MAX_WEIGHT // 1024} KB", token=None)


def _replace(value: object, old: object, new: object = "") -> str:
    text, old, new = soft_str(value), soft_str(old), soft_str(new)
    _grown(text, old, new, text.count(old))
    return text.replace(old, new)


def _join(value: object, separator: object = " ") -> str:
    items = value if isinstance(value, list | tuple | range) else [value]
    between = soft_str(separator)
    if weigh(list(items)) + len(items) * len(between) > MAX_WEIGHT:
        raise BudgetExceeded(f"a value is larger than {MAX_WEIGHT // 1024} KB", token=None)
    return between.join(soft_str(item) for item in items)


def _strip_html(value: object) -> str:
    return _TAGS.sub("", str(value))


def _uniq(value: object, key: object = None) -> list[object]:
    items = list(value) if isinstance(value, list | tuple | range) else [value]
    marks = [item.get(key) if key is not None and isinstance(item, dict) else item for item in items]
    seen: dict[str, object] = {}
    for mark, item in zip(marks, items, strict=True):
        seen.setdefault(f"{type(mark).__name__} {mark}", item)
    return list(seen.values())


def _guard(function: Filter) -> Filter:
    """Weigh what goes in and what comes out."""

    @wraps(function)
    def guarded(value: object, *arguments: object, context: BudgetedContext, **options: object) -> object:
        for given in (value, *arguments, *options.values()):
            context.weigh(given)
        if getattr(function, "with_environment", False):
            options["environment"] = context.env
        result = function("" if isinstance(value, Undefined) else value, *arguments, **options)
        context.weigh(result)
        return result

    guarded.with_context = True  # type: ignore[attr-defined]
    guarded.with_environment = False  # type: ignore[attr-defined]
    return guarded


_OWN: Final[dict[str, Filter]] = {
    "plus": _plus,
    "minus": _minus,
    "times": _times,
    "divided_by": _divided_by,
    "modulo": _modulo,
    "round": _round,
    "abs": lambda value: abs(_number(value)),
    "ceil": lambda value: math.ceil(_number(value)),
    "floor": lambda value: math.floor(_number(value)),
    "at_least": lambda value, other: max(_number(value), _number(other)),
    "at_most": lambda value, other: min(_number(value), _number(other)),
    "date": _date,
    "replace": _replace,
    "remove": lambda value, old: _replace(value, old),
    "join": _join,
    "strip_html": _strip_html,
    "uniq": _uniq,
}

_LIBRARY: Final = Environment().filters
_BORROWED: Final[dict[str, Filter]] = {
    name: _LIBRARY[name]
    for name in (
        *("append", "prepend", "capitalize", "downcase", "upcase", "strip", "lstrip", "rstrip", "strip_newlines"),
        *("newline_to_br", "remove_first", "replace_first", "split", "slice", "truncate", "truncatewords"),
        *("escape", "url_encode", "default", "size", "first", "last", "sort", "reverse", "compact", "map", "where"),
        *("concat", "sum"),
    )
}

FILTERS: Final[dict[str, Filter]] = {name: _guard(function) for name, function in (_BORROWED | _OWN).items()}
