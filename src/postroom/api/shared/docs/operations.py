"""A door's operations as its page shows them, read from the schema that the door makes of itself."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from postroom.api.shared.docs.manuals import Manual, Sample
from postroom.api.shared.docs.schemas import Reader, Row
from postroom.api.shared.docs.writing import Call, write_curl, write_javascript, write_python
from postroom.kit.types import JSONValue

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_HUMPS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its status, what that is called, what it holds, and a value of it."""

    status: str
    words: str
    rows: tuple[Row, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation with everything that is said of it."""

    id: str
    method: str
    path: str
    title: str
    text: str
    parameters: tuple[tuple[str, Row], ...]
    body: tuple[Row, ...]
    answers: tuple[Answer, ...]
    refusals: tuple[str, ...]
    call: Call

    @property
    def snippets(self) -> tuple[tuple[str, str, str], ...]:
        """The call in three languages: name, label and text."""
        return (
            ("curl", "curl", write_curl(self.call)),
            ("python", "Python", write_python(self.call)),
            ("javascript", "JavaScript", write_javascript(self.call)),
        )


@dataclass(frozen=True, slots=True)
class Group:
    """Operations that belong together."""

    title: str
    operations: tuple[Operation, ...]

    @property
    def anchor(self) -> str:
        """Its place on the page."""
        return self.title.lower().replace(" ", "-")


def list_groups(document: Mapping[str, Any], manual: Manual, address: str) -> list[Group]:
    """Return the operations of an OpenAPI document by their tag, in the order of the door."""
    reader = Reader(document["components"]["schemas"])
    found: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                told = methods[method]
                made = _read(reader, manual, address, (method, path, told))
                found.setdefault((told.get("tags") or ["Operations"])[0], []).append(made)
    return [Group(title, tuple(operations)) for title, operations in found.items()]


def _read(reader: Reader, manual: Manual, address: str, place: tuple[str, str, Mapping[str, Any]]) -> Operation:
    method, path, told = place
    sample = manual.sample(told["operationId"])
    schema = _json_of(told.get("requestBody", {}))
    body = sample.body if sample.body is not None or schema is None else reader.sample(schema)
    answers = {status: answer for status, answer in told["responses"].items() if str(status).startswith("2")}
    return Operation(
        id=told["operationId"],
        method=method.upper(),
        path=path,
        title=_humanise(told["operationId"]),
        text=told.get("description", ""),
        parameters=tuple(
            (str(one["in"]), Row(one["name"], reader.describe(one["schema"]), one.get("required", False), ""))
            for one in told.get("parameters", ())
        ),
        body=tuple(reader.rows(schema)) if schema is not None else (),
        answers=tuple(_answer(reader, str(status), answer) for status, answer in answers.items()),
        refusals=tuple(sorted(str(status) for status in told["responses"] if not str(status).startswith("2"))),
        call=Call(method.upper(), address + _fill(path, sample), None if schema is None else body),
    )


def _answer(reader: Reader, status: str, told: Mapping[str, Any]) -> Answer:
    schema = _json_of(told)
    words = HTTPStatus(int(status)).phrase
    if schema is None:
        return Answer(status, words, (), "")
    return Answer(status, words, tuple(reader.rows(schema)), show_json(reader.sample(schema)))


def _json_of(told: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = told.get("content", {}).get("application/json", {}).get("schema")
    return found


def _fill(path: str, sample: Sample) -> str:
    """Return the path with a name in capitals for each id, to be replaced by one of the reader's own."""
    filled = re.sub(r"\{(\w+)\}", lambda found: sample.path.get(found[1]) or _HUMPS.sub("_", found[1]).upper(), path)
    return f"{filled}?{urlencode(sample.query)}" if sample.query else filled


def _humanise(operation: str) -> str:
    words = _HUMPS.sub(" ", operation).lower()
    return words[:1].upper() + words[1:]


def show_json(value: JSONValue) -> str:
    """Return a value as the page shows it."""
    return json.dumps(value, ensure_ascii=False, indent=2)
