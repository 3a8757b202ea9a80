"""Values of merging two records of one person."""

from dataclasses import dataclass
from typing import Literal

from postroom.kit.types import JSONValue

Side = Literal["survivor", "other"]


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """A field in which the two records say something: ``key`` is ``email``, ``first_name`` …, or ``custom.<key>``.

    ``wins`` is whose value stays unless somebody chooses otherwise; only where they differ is there a choice.
    """

    key: str
    label: str
    survivor: JSONValue
    other: JSONValue
    wins: Side

    @property
    def is_choice(self) -> bool:
        """Whether both say something, and not the same."""
        return not is_empty(self.survivor) and not is_empty(self.other) and self.survivor != self.other

    @property
    def result(self) -> JSONValue:
        """The value that stays."""
        return self.survivor if self.wins == "survivor" else self.other


@dataclass(frozen=True, slots=True)
class StateMerge:
    """Where the two stand with a list, a category or the workspace, and where the one person will; empty: nowhere."""

    name: str
    survivor: str
    other: str
    result: str


@dataclass(frozen=True, slots=True)
class Resemblance:
    """Why two records may be one person, in words, and how much speaks for it."""

    score: int
    reasons: tuple[str, ...]


def is_empty(value: JSONValue) -> bool:
    """Whether a record says nothing with this value."""
    return value is None or value in ("", [], {})
