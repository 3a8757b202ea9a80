"""Every constraint of the contract, violated one at a time, with the issue that Zod would raise."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path as File
from typing import Any, Final

import yaml

CONTRACTS: Final = File(__file__).resolve().parents[3] / "contracts"
METHODS: Final = ("get", "post", "put", "patch", "delete")
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Violation:
    """A value that does not fit, where it stands, and what is said of it: members of the issue at ``told_at``."""

    path: Path
    value: Any
    issue: Mapping[str, Any]
    told_at: Path

    def __str__(self) -> str:
        shown = repr(self.value)
        return f"{'.'.join(map(str, self.path)) or 'body'} = {shown[:40]}"


class Gone:
    """Stands for a name that is left away."""

    def __repr__(self) -> str:
        return "nothing"


GONE: Final = Gone()


@dataclass(frozen=True)
class Operation:
    """One operation of the contract, its references followed."""

    id: str
    method: str
    path: str
    parameters: tuple[Mapping[str, Any], ...]
    body: Mapping[str, Any] | None

    def inputs(self, place: str) -> list[Mapping[str, Any]]:
        """Return the parameters of the path, the query or the headers."""
        return [one for one in self.parameters if one["in"] == place]


@cache
def operations() -> dict[str, Operation]:
    """Return every operation of both documents by its id."""
    found = {}
    for name in ("usesend", "usesend-later"):
        document = yaml.safe_load((CONTRACTS / f"{name}.yaml").read_text(encoding="utf-8"))
        for path, item in document["paths"].items():
            for method in METHODS:
                if method in item:
                    one = _operation(document, method, path, item)
                    found[one.id] = one
    return found


def _operation(document: Any, method: str, path: str, item: Any) -> Operation:
    node = item[method]
    parameters = [*item.get("parameters", ()), *node.get("parameters", ())]
    body = node.get("requestBody")
    return Operation(
        node["operationId"],
        method.upper(),
        path,
        tuple(_followed(document, one) for one in parameters),
        _followed(document, body["content"]["application/json"]["schema"]) if body else None,
    )


def _followed(document: Any, node: Any) -> Any:
    if isinstance(node, list):
        return [_followed(document, one) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = document
        for name in node["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        return _followed(document, target)
    followed = {name: _followed(document, one) for name, one in node.items()}
    for part in followed.pop("allOf", ()):
        followed = {**part, **followed}
    return followed


def violations(schema: Mapping[str, Any], path: Path = ()) -> Iterator[Violation]:
    """Yield every way in which a JSON value at ``path`` can break one constraint of ``schema``."""
    if "anyOf" in schema:
        yield from _of_union(schema, path)
        return
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    kind = next(one for one in types if one != "null")
    yield from _of_type(kind, path, is_nullable="null" in types)
    yield from _KINDS[kind](schema, path)


def _of_type(kind: str, path: Path, *, is_nullable: bool) -> Iterator[Violation]:
    expected = "number" if kind == "integer" else kind
    for value, word in (("7", "string"), (7, "number"), (True, "boolean"), ([], "array"), ({}, "object")):
        if word != expected:
            yield _wrong_type(path, value, expected, word)
    if not is_nullable:
        yield _wrong_type(path, None, expected, "null")


def _wrong_type(path: Path, value: Any, expected: str, received: str) -> Violation:
    message = "Required" if received == "undefined" else f"Expected {expected}, received {received}"
    issue = {"code": "invalid_type", "expected": expected, "received": received, "message": message}
    return Violation(path, value, issue, path)


def _of_object(schema: Mapping[str, Any], path: Path) -> Iterator[Violation]:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if "anyOf" in properties[name]:
            yield Violation((*path, name), GONE, _NO_UNION, (*path, name))
        else:
            kind = properties[name]["type"]
            yield _wrong_type((*path, name), GONE, "number" if kind == "integer" else kind, "undefined")
    for name, one in properties.items():
        yield from violations(one, (*path, name))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from violations(schema["additionalProperties"], (*path, "name"))


def _of_array(schema: Mapping[str, Any], path: Path) -> Iterator[Violation]:
    for bound, code, length in (
        ("minItems", "too_small", schema.get("minItems", 0) - 1),
        ("maxItems", "too_big", schema.get("maxItems", 0) + 1),
    ):
        if bound in schema:
            issue = {"code": code, "type": "array", "inclusive": True, "exact": False}
            yield Violation(path, Repeated(length), issue, path)
    yield from violations(schema["items"], (*path, 0))


@dataclass(frozen=True)
class Repeated:
    """Stands for a list of so many times what the list of the good body begins with."""

    length: int


def _of_text(schema: Mapping[str, Any], path: Path) -> Iterator[Violation]:
    if schema.get("minLength"):
        yield _too_short(path, "x" * (schema["minLength"] - 1), schema["minLength"], path)
    if schema.get("format") == "date-time":
        issue = {"code": "invalid_string", "validation": "datetime", "message": "Invalid datetime"}
        for value in ("", "yesterday", "2026-13-01T00:00:00Z", "2026-01-31", "2026-01-31 09:30:00Z"):
            yield Violation(path, value, issue, path)


def _too_short(path: Path, value: Any, least: int, told_at: Path) -> Violation:
    message = f"String must contain at least {least} character(s)"
    issue = {"code": "too_small", "minimum": least, "type": "string", "inclusive": True, "exact": False}
    return Violation(path, value, {**issue, "message": message}, told_at)


def _of_number(schema: Mapping[str, Any], path: Path) -> Iterator[Violation]:
    fraction = {"code": "invalid_type", "expected": "integer", "received": "float"}
    yield Violation(path, 1.5, {**fraction, "message": "Expected integer, received float"}, path)
    if "minimum" in schema:
        least = schema["minimum"]
        issue = {"code": "too_small", "minimum": least, "type": "number", "inclusive": True, "exact": False}
        said = f"Number must be greater than or equal to {least}"
        yield Violation(path, least - 1, {**issue, "message": said}, path)
    if "maximum" in schema:
        most = schema["maximum"]
        issue = {"code": "too_big", "maximum": most, "type": "number", "inclusive": True, "exact": False}
        yield Violation(path, most + 1, {**issue, "message": f"Number must be less than or equal to {most}"}, path)


def _of_nothing(schema: Mapping[str, Any], path: Path) -> Iterator[Violation]:
    yield from ()


_KINDS: Final = {
    "object": _of_object,
    "array": _of_array,
    "string": _of_text,
    "integer": _of_number,
    "boolean": _of_nothing,
}
_NO_UNION: Final = {"code": "invalid_union", "message": "Invalid input"}


def _of_union(schema: Mapping[str, Any], path: Path) -> Iterator[Violation]:
    """One text or a list of texts, as all unions of the contract's bodies are."""
    text, texts = schema["anyOf"]
    assert (text["type"], texts["type"], texts["items"]["type"]) == ("string", "array", "string")
    for value in (7, True, {}, None):
        yield Violation(path, value, _NO_UNION, path)
    yield Violation((*path, 0), 7, _NO_UNION, path)
    if text.get("minLength"):
        yield _too_short(path, "", 1, path)
        yield _too_short((*path, 0), "", 1, (*path, 0))


def spoiled(body: Any, violation: Violation) -> Any:
    """Return ``body`` with the value of ``violation`` in its place."""
    if not violation.path:
        return [body[0]] * violation.value.length if isinstance(violation.value, Repeated) else violation.value
    name, *rest = violation.path
    copy = list(body) if isinstance(body, list) else dict(body) if isinstance(body, dict) else [body]
    if rest:
        inner = Violation(tuple(rest), violation.value, violation.issue, violation.told_at)
        old = copy[name]  # type: ignore[call-overload]
        copy[name] = spoiled([old] if isinstance(old, str) else old, inner)  # type: ignore[call-overload]
    elif violation.value is GONE:
        del copy[name]  # type: ignore[arg-type]
    elif isinstance(violation.value, Repeated):
        copy[name] = [copy[name][0]] * violation.value.length  # type: ignore[call-overload]
    else:
        copy[name] = violation.value  # type: ignore[call-overload]
    return copy


def unfit_texts(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield texts that a parameter of a path or a query must not be."""
    kinds = [one.get("type") for one in schema.get("anyOf", [schema])]
    if "integer" in kinds or "number" in kinds:
        yield from ("abc", "1x")
    if "integer" in kinds:
        yield "1.5"
    if "minimum" in schema:
        yield str(schema["minimum"] - 1)
    if "maximum" in schema:
        yield str(schema["maximum"] + 1)
    if schema.get("minLength", 0) > 1:
        yield "x" * (schema["minLength"] - 1)
    if "enum" in schema:
        yield from ("", "nonsense", str(schema["enum"][0]).lower() + "x")
    if schema.get("format") == "date-time":
        yield from ("yesterday", "2026-01-31", "2026-02-30T00:00:00Z")
