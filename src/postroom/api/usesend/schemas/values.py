"""Values as this dialect reads them: they refuse what Zod refuses, in its words, and nothing else."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from math import isfinite, isnan, nan
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Strict, StringConstraints, WithJsonSchema

from postroom.api.usesend.issues import (
    bad_time,
    custom,
    no_union,
    too_big,
    too_small,
    type_word,
    unfit,
    wrong_choice,
    wrong_type,
)
from postroom.kit.types import JSONObject

LARGEST: Final = 2**63 - 1
"""What a key of ours can be; whoever asks for more asks for what there is not."""

_TIME: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII
)
_DIGITS: Final = re.compile(r"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|Infinity)", re.ASCII)
_OTHER_DIGITS: Final = re.compile(r"0([xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)", re.ASCII)


def not_null(expected: str) -> BeforeValidator:
    """Return the check of a value that may be absent but not null: ``Annotated[str | None, not_null("string")]``."""

    def check(value: Any) -> Any:
        if value is None:
            raise unfit(wrong_type(expected, "null"))
        return value

    return BeforeValidator(check)


def one_of(*options: str) -> BeforeValidator:
    """Return the check of a text that must be one of ``options``: ``Annotated[str, one_of("7", "30")]``."""

    def check(value: Any) -> Any:
        if value not in options:
            raise unfit(wrong_choice(options, value))
        return value

    return BeforeValidator(check)


def whole(least: int | None = None, most: int | None = None) -> BeforeValidator:
    """Return the check of a JSON number that must be whole and within bounds: ``Annotated[int, whole(1, 100)]``."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise unfit(wrong_type("number", type_word(value)))
        return _within(value, least, most)

    return BeforeValidator(check)


def whole_text(least: int | None = None, most: int | None = None) -> BeforeValidator:
    """Return the same check for a number that came as the text of a query or a path, read as JavaScript reads it."""

    def check(value: Any) -> int:
        number = _number(value) if isinstance(value, str) else value
        if isnan(number):
            raise unfit(wrong_type("number", "nan"))
        return _within(number, least, most)

    return BeforeValidator(check)


def number_text() -> BeforeValidator:
    """Return the check of any number that came as a text; it becomes the whole number below."""

    def check(value: Any) -> int:
        number = _number(value) if isinstance(value, str) else value
        if isnan(number):
            raise unfit(wrong_type("number", "nan"))
        return int(max(-LARGEST, min(number, LARGEST)) // 1)

    return BeforeValidator(check)


def at_most(count: int, message: str) -> AfterValidator:
    """Return the check of a list's length that refuses in its own words."""

    def check(values: list[Any]) -> list[Any]:
        if len(values) > count:
            raise unfit(too_big("array", count, message=message))
        return values

    return AfterValidator(check)


def _within(number: float, least: int | None, most: int | None) -> int:
    """Return the number as a whole one; what is larger than any key of ours becomes the largest."""
    issues: list[JSONObject] = []
    if not isfinite(number) or number != int(number):
        issues.append(wrong_type("integer", "float"))
    if least is not None and number < least:
        issues.append(too_small("number", least))
    if most is not None and number > most:
        issues.append(too_big("number", most))
    if issues:
        raise unfit(*issues)
    return max(-LARGEST, min(int(number), LARGEST))


def _number(text: str) -> float:
    """Return what JavaScript's ``Number`` makes of a text (ECMA-262, StringToNumber); NaN for what is none."""
    text = text.strip()
    if not text:
        return 0
    if _OTHER_DIGITS.fullmatch(text):
        return int(text, 0)
    return float(text) if _DIGITS.fullmatch(text) else nan


def _texts(least: int) -> Callable[[Any], list[str]]:
    """Return the reader of one text or a list of them, each of ``least`` characters at least."""

    def read(value: Any) -> list[str]:
        if isinstance(value, str):
            return [_long_enough(value)]
        if not isinstance(value, list):
            raise unfit(no_union(*([wrong_type(kind, type_word(value))] for kind in ("string", "array"))))
        issues = [issue for place, one in enumerate(value) for issue in _check_text(one, least, place)]
        if any(issue["code"] == "invalid_type" for issue in issues):
            raise unfit(no_union([wrong_type("string", "array")], issues))
        if issues:
            raise unfit(*issues)
        return value

    def _long_enough(text: str) -> str:
        if issues := _check_text(text, least):
            raise unfit(*issues)
        return text

    return read


def _check_text(value: Any, least: int, *path: int) -> list[JSONObject]:
    if not isinstance(value, str):
        return [wrong_type("string", type_word(value), *path)]
    return [too_small("string", least, *path)] if len(value) < least else []


def _read_time(value: Any) -> datetime:
    """A time without an offset, which useSend's own Python client sends, is UTC."""
    if not isinstance(value, str):
        raise unfit(wrong_type("string", type_word(value)))
    try:
        at = datetime.fromisoformat(value) if _TIME.fullmatch(value) else None
        if at is not None:
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise unfit(bad_time())


def _storable(text: str) -> str:
    """What comes in an address may hold a NUL, for which PostgreSQL has no place."""
    if "\0" in text:
        raise unfit(custom("The text holds a NUL"))
    return text


_TEXT_OR_TEXTS: Final = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_FILLED_OR_FILLED: Final = {
    "anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": {"type": "string", "minLength": 1}}]
}

Text = Annotated[str, StringConstraints(min_length=1)]
"""A text that is not empty."""
OptionalText = Annotated[str | None, not_null("string"), WithJsonSchema({"type": "string"})]
"""A text that may be absent, then None, but is never null."""
Flag = Annotated[bool, Strict()]
OptionalFlag = Annotated[bool | None, Strict(), not_null("boolean"), WithJsonSchema({"type": "boolean"})]
"""A yes or no that may be absent, then None, but is never null."""
StringMap = dict[str, str]
Texts = Annotated[list[str], BeforeValidator(_texts(0)), WithJsonSchema(_TEXT_OR_TEXTS)]
"""One text or a list of them."""
FilledTexts = Annotated[list[str], BeforeValidator(_texts(1)), WithJsonSchema(_FILLED_OR_FILLED)]
"""One text or a list of them, none empty."""
Moment = Annotated[datetime, BeforeValidator(_read_time), WithJsonSchema({"type": "string", "format": "date-time"})]
"""An instant, ISO 8601."""
QueryText = Annotated[str, AfterValidator(_storable)]
"""A text of a query or a path."""
