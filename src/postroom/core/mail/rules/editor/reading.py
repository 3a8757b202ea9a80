"""Reads an editor document: known nodes and marks only, of bounded size, each remembering where it stands."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

from postroom.core.mail.errors import BadDocument, NotJson
from postroom.core.mail.rules.editor.values import Mark, Node
from postroom.kit.mime import clean_text
from postroom.kit.types import JSONValue

MAX_SIZE: Final = 500_000
MAX_DEPTH: Final = 30
MAX_NODES: Final = 5_000

NODES: Final = frozenset(
    {"doc", "paragraph", "text", "heading", "variable", "button", "image", "logo", "horizontalRule", "orderedList"}
    | {"bulletList", "listItem", "spacer", "hardBreak", "blockquote", "codeBlock", "unsubscribeFooter"}
)
MARKS: Final = frozenset(("bold", "italic", "underline", "strike", "code", "textStyle", "link"))


def read_document(document: str | Mapping[str, JSONValue]) -> Node:
    """Return the ``doc`` node of a document, given as JSON or as its value. Raises BadDocument."""
    value = _parse(document) if isinstance(document, str) else document
    if not isinstance(value, dict) or value.get("type") != "doc":
        raise BadDocument('An editor document is an object of the type "doc".')
    return _read_node(value, "the document", 0, iter(range(MAX_NODES)))


def _parse(document: str) -> JSONValue:
    if len(document) > MAX_SIZE:
        raise BadDocument(f"The document is longer than {MAX_SIZE:,} characters.")
    try:
        value: JSONValue = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise NotJson("The document is not JSON.") from error
    return value


def _read_node(value: JSONValue, place: str, depth: int, budget: Iterator[int]) -> Node:
    if depth > MAX_DEPTH:
        raise BadDocument(f"The document is more than {MAX_DEPTH} levels deep at {place}.")
    if next(budget, None) is None:
        raise BadDocument(f"The document has more than {MAX_NODES:,} nodes.")
    if not isinstance(value, dict):
        raise BadDocument(f"There is no node at {place}.")
    kind = _known(value.get("type"), NODES, "node", place)
    if (kind == "doc") != (depth == 0):
        raise BadDocument(f"A {kind} cannot stand at {place}.")
    return Node(
        type=kind,
        place=place,
        text=_read_text(value, place) if kind == "text" else "",
        attributes=_read_attributes(value, place),
        marks=tuple(_read_mark(mark, place) for mark in _read_list(value, "marks", place)),
        children=tuple(
            _read_node(child, _inside(place, number), depth + 1, budget)
            for number, child in enumerate(_read_list(value, "content", place))
        ),
    )


def _inside(place: str, number: int) -> str:
    return f"content[{number}]" if place == "the document" else f"{place}.content[{number}]"


def _known(word: JSONValue, words: frozenset[str], what: str, place: str) -> str:
    if not isinstance(word, str) or word not in words:
        raise BadDocument(f"Unknown {what} {str(word)[:60]!r} at {place}.")
    return word


def _read_text(value: Mapping[str, JSONValue], place: str) -> str:
    text = value.get("text")
    if not isinstance(text, str):
        raise BadDocument(f"The text at {place} is none.")
    return clean_text(text)


def _read_mark(value: JSONValue, place: str) -> Mark:
    if not isinstance(value, dict):
        raise BadDocument(f"There is no mark at {place}.")
    return Mark(_known(value.get("type"), MARKS, "mark", place), _read_attributes(value, place))


def _read_attributes(value: Mapping[str, JSONValue], place: str) -> Mapping[str, JSONValue]:
    attributes = value.get("attrs") or {}
    if not isinstance(attributes, dict):
        raise BadDocument(f"The attributes at {place} are no object.")
    return {name: clean_text(one) if isinstance(one, str) else one for name, one in attributes.items()}


def _read_list(value: Mapping[str, JSONValue], name: str, place: str) -> list[JSONValue]:
    found = value.get(name) or []
    if not isinstance(found, list):
        raise BadDocument(f"The {name} at {place} is no list.")
    return found
