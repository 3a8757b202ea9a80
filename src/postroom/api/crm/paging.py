"""Pages by number; a number that is none counts as absent, one out of bounds as the nearest."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, WithJsonSchema

LAST_PAGE: Final = 1_000_000
LARGEST: Final = 200


def _whole(default: int, maximum: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        text = str(value).strip()
        return min(max(1, int(text[:9])), maximum) if text.isascii() and text.isdigit() else default

    return read


def _number(default: int, maximum: int) -> tuple[BeforeValidator, WithJsonSchema]:
    schema = {"type": "integer", "minimum": 1, "default": default}
    return BeforeValidator(_whole(default, maximum)), WithJsonSchema(schema)


PageNumber = Annotated[int, *_number(1, LAST_PAGE)]
PageSize50 = Annotated[int, *_number(50, LARGEST)]
