"""The segment builder's tree: groups and rows on the screen, sent as one flat form, and the filter they spell.

Each node of the tree sends ``node`` as ``depth:kind:key`` in the order of the page, which is all that its place needs;
its own fields are called ``key.name``.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from secrets import token_hex
from typing import Final, Protocol

from postroom.kit.types import JSONObject, JSONValue
from postroom.web.segments.questions import Comparison, Options, Question

ROOT: Final = "root"
DEEPEST: Final = 4
_NODE: Final = re.compile(r"([1-4]):([gc]):([a-z0-9]{1,16})\Z")


class Answers(Protocol):
    """What a form sent: Django's QueryDict is one."""

    def get(self, key: str, default: str, /) -> str | None: ...

    def getlist(self, key: str, /) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """What is entered beside a comparison; which of it counts depends on what the comparison asks for."""

    values: tuple[str, ...] = ("",)
    last: str = ""
    amount: str = ""
    unit: str = "days"
    campaign: str = ""
    times: str = ""

    @property
    def value(self) -> str:
        """The one value, or the first."""
        return self.values[0] if self.values else ""

    @property
    def lines(self) -> str:
        """The values, one a line."""
        return "\n".join(self.values)


@dataclass(frozen=True, slots=True)
class Row:
    """One condition on the screen."""

    question: Question
    operator: str
    entry: Entry = Entry()
    key: str = field(default_factory=lambda: token_hex(4), compare=False)

    @property
    def comparison(self) -> Comparison:
        """The comparison chosen."""
        return self.question.comparisons[self.operator]

    @property
    def asks(self) -> str:
        """What the comparison asks for."""
        return self.comparison.asks

    @property
    def options(self) -> Options:
        """What can be chosen, and what was chosen before although it is gone by now."""
        known = {value for value, _ in self.question.options}
        gone = tuple((value, value) for value in self.entry.values if value and value not in known)
        return (*self.question.options, *gone)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to fill in."""
        entry = self.entry
        if self.asks in {"dates", "numbers"}:
            return bool(entry.value.strip() and entry.last.strip())
        if self.asks == "span":
            return bool(entry.amount.strip())
        return self.asks in {"none", "deeds"} or any(value.strip() for value in entry.values)


@dataclass(frozen=True, slots=True)
class Branch:
    """A group on the screen."""

    match: str
    parts: tuple["Row | Branch", ...] = ()
    key: str = field(default_factory=lambda: token_hex(4), compare=False)
    depth: int = field(default=1, compare=False)

    @property
    def can_nest(self) -> bool:
        """Whether a group may stand in this one."""
        return self.depth < DEEPEST

    @property
    def inner_depth(self) -> int:
        """The depth of what stands in it."""
        return self.depth + 1

    def rows(self) -> Iterator[Row]:
        """Yield every condition in it."""
        for part in self.parts:
            if isinstance(part, Row):
                yield part
            else:
                yield from part.rows()


def make_row(questions: list[Question], key: str = "", operator: str = "", entry: Entry | None = None) -> Row:
    """Return one condition; an unknown field becomes the first one, an operator that does not fit the field's first."""
    question = next((one for one in questions if one.key == key), questions[0])
    fitting = operator if operator in question.comparisons else next(iter(question.comparisons))
    return Row(question, fitting, entry or Entry())


def start_tree(questions: list[Question]) -> Branch:
    """Return what a new segment begins with: one condition to fill in."""
    return Branch("all", (make_row(questions),), key=ROOT)


def read_tree(answers: Answers, questions: list[Question]) -> Branch:
    """Return the tree as it stands on the screen; what is no node of ours is left out."""
    nodes = [match.groups() for raw in answers.getlist("node") if (match := _NODE.match(raw))][:200]
    parts, _ = _read_parts(answers, questions, nodes, 0, depth=2)
    return Branch(_match(answers, ROOT), parts, key=ROOT)


def _read_parts(
    answers: Answers, questions: list[Question], nodes: list[tuple[str, ...]], at: int, *, depth: int
) -> tuple[tuple[Row | Branch, ...], int]:
    parts: list[Row | Branch] = []
    while at < len(nodes) and int(nodes[at][0]) >= depth - 1:
        _, kind, key = nodes[at]
        if int(nodes[at][0]) != depth - 1:
            at += 1
        elif kind == "c":
            parts.append(replace(_read_row(answers, questions, key), key=key))
            at += 1
        else:
            inner, at = _read_parts(answers, questions, nodes, at + 1, depth=depth + 1)
            parts.append(Branch(_match(answers, key), inner, key=key, depth=depth))
    return tuple(parts), at


def _match(answers: Answers, key: str) -> str:
    return "any" if answers.get(f"{key}.match", "") == "any" else "all"


def _read_row(answers: Answers, questions: list[Question], key: str) -> Row:
    def sent(name: str) -> str:
        return answers.get(f"{key}.{name}", "") or ""

    row = make_row(questions, sent("field"), sent("operator"))
    if sent("was") not in {"", row.question.key}:  # what was entered for another field says nothing about this one
        return row
    values = tuple(answers.getlist(f"{key}.value")) or ("",)
    if row.asks == "lines":
        values = tuple(line.strip() for value in values for line in value.splitlines() if line.strip())
    unit, campaign = sent("unit") or "days", sent("campaign")
    entry = Entry(values, sent("last"), sent("amount"), unit, campaign, sent("times"))
    return replace(row, entry=entry)


def act(tree: Branch, word: str, questions: list[Question]) -> Branch:
    """Return the tree after a button was pressed: ``add:key``, ``group:key``, ``remove:key``; else as it was."""
    verb, _, key = word.partition(":")
    if verb == "remove":
        return _without(tree, key)
    if verb in {"add", "group"}:
        return _with(tree, key, questions, as_group=verb == "group")
    return tree


def _without(tree: Branch, key: str) -> Branch:
    """A group whose last part is gone goes with it."""
    left: list[Row | Branch] = []
    for part in tree.parts:
        if part.key == key:
            continue
        pruned = _without(part, key) if isinstance(part, Branch) else part
        if isinstance(pruned, Row) or pruned.parts:
            left.append(pruned)
    return replace(tree, parts=tuple(left))


def _with(tree: Branch, key: str, questions: list[Question], *, as_group: bool) -> Branch:
    parts = tuple(
        _with(part, key, questions, as_group=as_group) if isinstance(part, Branch) else part for part in tree.parts
    )
    if tree.key != key:
        return replace(tree, parts=parts)
    row = make_row(questions)
    other = "any" if tree.match == "all" else "all"
    added = Branch(other, (row,), depth=tree.depth + 1) if as_group and tree.can_nest else row
    return replace(tree, parts=(*parts, added))


def to_filter(tree: Branch) -> JSONObject:
    """Return the filter that a tree spells. The core judges it."""
    parts = [to_filter(part) if isinstance(part, Branch) else _to_condition(part) for part in tree.parts]
    return {"match": tree.match, "conditions": [*parts]}


def _to_condition(row: Row) -> JSONObject:
    condition: JSONObject = {"field": row.question.key, "operator": row.operator}
    if row.asks != "none":
        condition["value"] = _to_value(row.asks, row.entry)
    return condition


def _to_value(asks: str, entry: Entry) -> JSONValue:
    if asks in {"lines", "options"}:
        return [value for value in entry.values if value]
    if asks in {"dates", "numbers"}:
        return [entry.value, entry.last]
    if asks == "span":
        return {"amount": entry.amount.strip(), "unit": entry.unit}
    if asks == "deeds":
        return _to_deeds(entry)
    return entry.value


def _to_deeds(entry: Entry) -> JSONValue:
    wanted: JSONObject = {}
    if entry.campaign:
        wanted["campaign"] = entry.campaign
    if entry.amount.strip():
        wanted["within"] = {"amount": entry.amount.strip(), "unit": entry.unit}
    if entry.times.strip() not in {"", "1"}:
        wanted["times"] = entry.times.strip()
    return wanted


_SAME: Final[Mapping[tuple[str, str], str]] = {
    ("multiselect", "contains"): "has",
    ("words", "contains"): "has",
    **{(kind, "in"): "has_any" for kind in ("multiselect", "words", "tag", "list", "account")},
}
_ALIASES: Final = {"is_empty": "is_not_set", "is_not_empty": "is_set"}


def from_filter(filter_: JSONValue, questions: list[Question]) -> Branch | None:
    """Return the tree that shows a filter, or None when something in it has no place on the screen."""
    known = {question.key: question for question in questions}
    try:
        return replace(_from_group(filter_, known, 1), key=ROOT)
    except (KeyError, ValueError, TypeError, AttributeError):
        return None


def _from_group(raw: JSONValue, known: Mapping[str, Question], depth: int) -> Branch:
    if not isinstance(raw, dict) or not isinstance(raw["conditions"], list):
        raise TypeError("not a group")
    parts = (
        _from_group(part, known, depth + 1) if isinstance(part, dict) and "conditions" in part else _show(part, known)
        for part in raw["conditions"]
    )
    return Branch(str(raw["match"]), tuple(parts), depth=depth)


def _show(raw: JSONValue, known: Mapping[str, Question]) -> Row:
    if not isinstance(raw, dict):
        raise TypeError("not a condition")
    name = str(raw["field"])
    question = known["tag" if name == "tags" else name if name in known else f"custom.{name}"]
    operator = _ALIASES.get(str(raw["operator"]), str(raw["operator"]))
    operator = _SAME.get((question.kind, operator), operator)
    asks = question.comparisons[operator].asks
    return Row(question, operator, _from_value(asks, raw.get("value"), question))


def _from_value(asks: str, value: JSONValue, question: Question) -> Entry:
    if asks == "none":
        return Entry()
    if asks == "span":
        return _from_span(value)
    if asks == "deeds":
        return _from_deeds(value)
    given = value if isinstance(value, list) else [value]
    if asks in {"dates", "numbers"}:
        first, last = given
        return Entry((_as_text(first),), last=_as_text(last))
    texts = tuple(_named(_as_text(one), question) for one in given)
    if asks == "lines" and any(text != text.strip() or len(text.splitlines()) != 1 for text in texts):
        raise ValueError("no line of its own")
    return Entry(texts)


def _named(text: str, question: Question) -> str:
    """What is named by a word that the screen shows is what has that word."""
    by_word = {word.lower(): value for value, word in question.options}
    return text if question.kind not in {"list", "tag"} else by_word.get(text.lower(), text)


def _from_span(value: JSONValue) -> Entry:
    raw = value if isinstance(value, dict) else {"amount": value}
    return Entry(amount=_as_text(raw["amount"]), unit=str(raw.get("unit") or "days"))


def _from_deeds(value: JSONValue) -> Entry:
    raw = value if isinstance(value, dict) else {}
    campaign = raw.get("campaign") or ""
    (named,) = campaign if isinstance(campaign, list) else [campaign]
    within = _from_span(raw["within"]) if raw.get("within") else Entry()
    times = "" if raw.get("times") in (None, 1, "1", "") else _as_text(raw["times"])
    return replace(within, campaign=str(named), times=times)


def _as_text(value: JSONValue) -> str:
    if value is None or isinstance(value, list | dict):
        raise TypeError("not one value")
    return str(value).lower() if isinstance(value, bool) else str(value)


def complete(rows: Iterable[Row]) -> bool:
    """Return whether nothing is left to fill in."""
    return all(row.is_complete for row in rows)
