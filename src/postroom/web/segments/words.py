"""Conditions and their answers as a person says them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from postroom.kit.types import JSONObject, JSONValue
from postroom.web.segments.questions import Question
from postroom.web.segments.tree import Row, from_filter

if TYPE_CHECKING:
    from postroom.core.contacts.types import Explanation

_MOST: Final = 5


@dataclass(frozen=True, slots=True)
class Told:
    """A part of a question with its answer for one person: a condition in ``words``, or a group with ``parts``."""

    holds: bool
    words: str
    value: str = ""
    parts: tuple["Told", ...] = ()


def tell(told: "Explanation", questions: list[Question], campaigns: Mapping[str, str]) -> Told:
    """Return an explanation in words; ``campaigns`` are names by uid."""
    if told.condition is not None:
        return Told(told.holds, say(told.condition, questions, campaigns), _plain(told.value))
    words = "All of these" if told.match == "all" else "Any of these"
    return Told(told.holds, words, parts=tuple(tell(part, questions, campaigns) for part in told.parts))


def say(condition: JSONObject, questions: list[Question], campaigns: Mapping[str, str]) -> str:
    """Return one condition in words; one that the builder cannot show in the words of the filter language."""
    shown = from_filter({"match": "all", "conditions": [condition]}, questions)
    row = shown.parts[0] if shown else None
    if not isinstance(row, Row):
        return " ".join(str(condition.get(name, "")) for name in ("field", "operator", "value")).strip()
    if row.asks == "deeds":
        return f"{row.question.label}: {row.comparison.words} ({_deeds(row, campaigns)})"
    return " ".join(part for part in (row.question.label, row.comparison.words, _object(row)) if part)


def _object(row: Row) -> str:
    entry, asks = row.entry, row.asks
    if asks == "none":
        return ""
    if asks == "span":
        return f"{entry.amount} {entry.unit}"
    if asks in {"dates", "numbers"}:
        return f"{entry.value} and {entry.last}"
    if asks == "boolean":
        return "yes" if entry.value == "true" else "no"
    words = dict(row.question.options)
    return _listed(words.get(value, value) for value in entry.values)


def _deeds(row: Row, campaigns: Mapping[str, str]) -> str:
    entry = row.entry
    about = f"“{campaigns.get(entry.campaign, entry.campaign)}”" if entry.campaign else "any mail"
    within = f"in the last {entry.amount} {entry.unit}" if entry.amount else ""
    times = f"at least {entry.times} times" if entry.times else ""
    return ", ".join(part for part in (about, within, times) if part)


def _plain(value: JSONValue) -> str:
    if isinstance(value, list):
        return _listed(str(one).replace("_", " ") for one in value)
    return "" if value is None else {"true": "yes", "false": "no"}.get(str(value), str(value))


def _listed(words: Iterable[str]) -> str:
    every = list(words)
    more = len(every) - _MOST
    return ", ".join(every[:_MOST]) + (f" and {more} more" if more > 0 else "")
