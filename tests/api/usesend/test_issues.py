"""The issues of unfit values are those of Zod 3.25.76 itself, as ``zod_cases.mjs`` had it say them."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import pytest
from pydantic import BaseModel, Field, ValidationError, create_model

from postroom.api.usesend.issues import list_issues
from postroom.api.usesend.schemas.values import (
    FilledTexts,
    Flag,
    Moment,
    OptionalFlag,
    OptionalText,
    StringMap,
    Text,
    Texts,
    not_null,
    one_of,
    whole,
    whole_text,
)

CASES: Final = json.loads((Path(__file__).parent / "zod_cases.json").read_text(encoding="utf-8"))


class File(BaseModel):
    filename: Text
    content: Text


class Inner(BaseModel):
    flag: OptionalFlag = None


class Whole(BaseModel):
    name: str
    inner: Inner = Inner()


KINDS: Final[dict[str, tuple[Any, Any]]] = {
    "text": (Text, ...),
    "plain": (str, ...),
    "optional_text": (OptionalText, None),
    "nullable_text": (Text | None, None),
    "flag": (Flag, ...),
    "optional_flag": (OptionalFlag, None),
    "map": (StringMap, ...),
    "filled_map": (dict[str, Text], ...),
    "texts": (Texts, ...),
    "optional_texts": (Texts, []),
    "filled_texts": (FilledTexts, []),
    "moment": (Moment, ...),
    "one_of": (Annotated[str, one_of("7", "30")], ...),
    "whole": (Annotated[int | None, not_null("number"), whole(1, 100_000)], None),
    "list": (Annotated[list[str], Field(min_length=1, max_length=3)], ...),
    "objects": (Annotated[list[File], Field(max_length=2)], ...),
    "object": (Whole, ...),
    "page": (Annotated[int, whole_text(1, 50)], ...),
}
MODELS: Final = {kind: create_model(kind, **{kind: field}) for kind, field in KINDS.items()}  # type: ignore[call-overload]
ABSENT: Final = object()
TEXTS: Final = ("text", "plain", "moment", "optional_text", "nullable_text", "optional_flag", "optional_texts", "whole")
"""What may be absent, or is known to be a text when it is: of all else, ``issues`` knows the names in the contract."""


def ours(kind: str, value: object) -> list[Any]:
    try:
        MODELS[kind].model_validate({} if value is ABSENT else {kind: value})
    except ValidationError as error:
        return list_issues(error.errors(include_url=False))
    return []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_value_has_the_issues_that_zod_finds(kind: str) -> None:
    cases = [case for case in CASES if case["kind"] == kind and ("value" in case or kind in TEXTS)]
    assert len(cases) > 20
    wrong = [
        (case.get("value", "absent"), found, case["issues"])
        for case in cases
        if (found := ours(kind, case.get("value", ABSENT))) != case["issues"]
    ]
    assert wrong == []
