"""What an editor document is made of, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from postroom.kit.types import JSONValue


@dataclass(frozen=True, slots=True)
class Mark:
    """How a run of text is set, or where it leads."""

    type: str
    attributes: Mapping[str, JSONValue]


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a document; ``place`` says where it stands, for errors."""

    type: str
    place: str
    text: str = ""
    attributes: Mapping[str, JSONValue] = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()
    children: tuple["Node", ...] = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """A document as Liquid templates: a whole HTML page, and the plain text beside it."""

    html: str
    text: str
