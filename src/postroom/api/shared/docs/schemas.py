"""JSON Schema (OpenAPI 3.1) as people read it: a row for each field, and values that would fit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from postroom.kit.types import JSONValue

Schema = Mapping[str, Any]

_DEEPEST: Final = 4
_LIMITS: Final = (
    ("minLength", "at least {} long"),
    ("maxLength", "at most {} long"),
    ("minItems", "at least {}"),
    ("maxItems", "at most {}"),
    ("minimum", "from {}"),
    ("maximum", "up to {}"),
)
_TEXTS: Final = {
    "id": "0198f2c4e5d67a3b8c9d0e1f2a3b4c5d",
    "email": "ann@people.example",
    "from": "Desk <desk@news.example>",
    "to": "ann@people.example",
    "subject": "Hello",
    "name": "Monthly letter",
    "firstName": "Ann",
    "lastName": "Lee",
}
_INSTANT: Final = "2026-11-20T09:30:00.000Z"


@dataclass(frozen=True, slots=True)
class Row:
    """One field: its name with the names of what holds it, what it is, and what is said of it."""

    name: str
    type: str
    is_required: bool
    notes: str


class Reader:
    """Reads the schemas of one document."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas

    def rows(self, schema: Schema, prefix: str = "", depth: int = 0) -> Iterator[Row]:
        """Yield a row for each field of an object, or of the objects in a list."""
        schema = self._resolve(schema)
        if schema.get("type") == "array":
            yield from self.rows(schema.get("items", {}), f"{prefix}[]" if prefix else "[]", depth)
            return
        required = schema.get("required", ())
        for name, inner in schema.get("properties", {}).items():
            full = f"{prefix}.{name}" if prefix else name
            yield Row(full, self.describe(inner), name in required, self._note(inner))
            if depth < _DEEPEST:
                for held, is_list in self._held(inner):
                    yield from self.rows(held, f"{full}[]" if is_list else full, depth + 1)

    def describe(self, schema: Schema) -> str:
        """Return what a value is, in a few words."""
        schema = self._resolve(schema)
        if "enum" in schema:
            return "one of " + ", ".join(str(one) for one in schema["enum"])
        if "const" in schema:
            return str(schema["const"])
        for way in ("anyOf", "oneOf", "allOf"):
            if way in schema:
                return " or ".join(dict.fromkeys(self.describe(one) for one in schema[way]))
        kind = schema.get("type", "any value")
        if kind == "array":
            return f"list of {_plural(self.describe(schema.get('items', {})))}"
        if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
            return f"object of {_plural(self.describe(schema['additionalProperties']))}"
        return f"{kind} ({schema['format']})" if "format" in schema else str(kind)

    def sample(self, schema: Schema, name: str = "", depth: int = 0) -> JSONValue:
        """Return a value that fits."""
        schema = self._resolve(schema)
        for word in ("const", "default", "example"):
            if schema.get(word) not in (None, [], {}):
                value: JSONValue = schema[word]
                return value
        if "enum" in schema:
            return str(schema["enum"][0])
        for way in ("anyOf", "oneOf", "allOf"):
            if way in schema:
                return self.sample(schema[way][0], name, depth)
        if schema.get("type") == "array":
            return [self.sample(schema.get("items", {}), name, depth + 1)] if depth < _DEEPEST else []
        if schema.get("type") == "object":
            inner = schema.get("properties", {})
            return {key: self.sample(one, key, depth + 1) for key, one in inner.items()} if depth < _DEEPEST else {}
        return _sample_of(schema, name)

    def _resolve(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            schema = self._schemas[schema["$ref"].rpartition("/")[2]]
        return schema

    def _held(self, schema: Schema) -> Iterator[tuple[Schema, bool]]:
        """Yield the objects with fields that a value is, or (then True) is a list of."""
        schema = self._resolve(schema)
        options = [one for way in ("anyOf", "oneOf", "allOf") for one in schema.get(way, ())] or [schema]
        for one in map(self._resolve, options):
            is_list = one.get("type") == "array"
            inner = self._resolve(one.get("items", {})) if is_list else one
            if inner.get("properties"):
                yield inner, is_list

    def _note(self, schema: Schema) -> str:
        found = [str(schema["description"])] if "description" in schema else []
        resolved = self._resolve(schema)
        options = [resolved, *(one for way in ("anyOf", "oneOf") for one in resolved.get(way, ()))]
        found += dict.fromkeys(text.format(one[name]) for one in options for name, text in _LIMITS if name in one)
        if resolved.get("default") not in (None, [], {}, ""):
            found.append(f"usually {resolved['default']}")
        return "; ".join(found)


def _plural(words: str) -> str:
    return f"{words}s" if words.isalpha() else words


def _sample_of(schema: Schema, name: str) -> JSONValue:
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return max(1, int(schema.get("minimum", 1)))
    if kind == "boolean":
        return True
    if kind == "null":
        return None
    if kind != "string":
        return {}
    if schema.get("format") == "date-time":
        return _INSTANT
    return _TEXTS["id"] if name.lower().endswith("id") else _TEXTS.get(name, "…")
