"""JSON bodies, read so that whatever passes can also be stored."""

import json
from collections.abc import Iterator
from math import isfinite
from typing import Any, Final, NoReturn

from django.http import HttpRequest
from ninja.parser import Parser

from postroom.kit.types import JSONValue


class _Nothing(bytes):
    """An empty body that is looked at all the same: Ninja skips what is false."""

    def __bool__(self) -> bool:
        return True


def see_empty_body(request: HttpRequest) -> None:
    """Have the parser judge an empty body like any other."""
    if request.META.get("CONTENT_LENGTH") in (None, "", "0"):
        request._body = _Nothing()


class StrictJson(Parser):
    """Refuses what PostgreSQL has no place for: NaN and Infinity, NUL, and halves of surrogate pairs (RFC 8259, 8.2).

    A body that says it is not JSON counts as an empty object.
    """

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """Return the body's value. Raises ValueError, or RecursionError for one too deep."""
        if request.content_type != "application/json":
            return {}
        value: dict[str, Any] = read_json(request.body)
        return value


def read_json(body: bytes) -> Any:
    """Return the value of a body, one that can be stored. Raises ValueError, or RecursionError for one too deep."""
    value = _DECODER.decode(str(body, "utf-8-sig"))
    if b"\\u" in body:  # there is no other way to write either of the two
        for text in _texts(value):
            if "\0" in text:
                raise ValueError("a text holds a NUL")
            text.encode()
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _finite(digits: str) -> float:
    """A number too large for a float would become Infinity."""
    number = float(digits)
    return number if isfinite(number) else _refuse(digits)


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)


def _texts(value: JSONValue) -> Iterator[str]:
    """Yield every text and every name in ``value``."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            yield from one
            waiting += one.values()
