"""The segment builder: rows of field, operator and value on the screen, a filter for the core."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from postroom.core.contacts.types import FieldType
from postroom.kit.types import JSONObject, JSONValue

if TYPE_CHECKING:
    from postroom.core.contacts.models import Field


class Answers(Protocol):
    """What a form sent: Django's QueryDict is one."""

    def getlist(self, key: str, /) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Question:
    """A field the builder offers: the word of the filter language, the word on the screen, how it is asked."""

    key: str
    label: str
    kind: str

    @property
    def operators(self) -> Mapping[str, str]:
        """The operators that fit, each with its word on the screen."""
        return _OPERATORS[self.kind]


@dataclass(frozen=True, slots=True)
class Row:
    """One condition on the screen."""

    question: Question
    operator: str
    value: str

    @property
    def needs_value(self) -> bool:
        """Whether the operator compares with anything."""
        return self.operator not in _WITHOUT_VALUE

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to fill in."""
        return bool(self.value.strip()) or not self.needs_value


_WITHOUT_VALUE: Final = frozenset({"is_set", "is_not_set"})
_PRESENCE: Final = {"is_set": "is known", "is_not_set": "is not known"}
_HAS: Final = {"has": "has", "not_has": "does not have"}
_WHEN: Final = {"eq": "is on", "before": "is before", "after": "is after"}
_OPERATORS: Final[Mapping[str, Mapping[str, str]]] = {
    "text": {
        "eq": "is",
        "neq": "is not",
        "contains": "contains",
        "not_contains": "does not contain",
        "starts_with": "starts with",
        "in": "is one of (a, b, c)",
        **_PRESENCE,
    },
    "number": {"eq": "is", "neq": "is not", "gt": "is more than", "lt": "is less than", **_PRESENCE},
    "boolean": {"eq": "is", **_PRESENCE},
    "date": {**_WHEN, **_PRESENCE},
    "instant": _WHEN,
    "multiselect": {**_HAS, **_PRESENCE},
    "tag": _HAS,
    "list": _HAS,
}
_KINDS: Final = {
    FieldType.NUMBER: "number",
    FieldType.BOOLEAN: "boolean",
    FieldType.DATE: "date",
    FieldType.MULTISELECT: "multiselect",
}
_OWN: Final = (
    Question("email", "E-mail", "text"),
    Question("first_name", "First name", "text"),
    Question("last_name", "Last name", "text"),
    Question("company", "Company", "text"),
    Question("phone", "Phone", "text"),
    Question("language", "Language", "text"),
    Question("tag", "Tag", "tag"),
    Question("list", "List", "list"),
    Question("created_at", "Added", "instant"),
)


def questions_for(fields: Iterable["Field"]) -> list[Question]:
    """Return everything that can be asked, the workspace's own fields last."""
    custom = (Question(f"custom.{one.key}", one.label, _KINDS.get(FieldType(one.type), "text")) for one in fields)
    return [*_OWN, *custom]


def make_row(questions: list[Question], key: str, operator: str, value: str) -> Row:
    """Return one condition; an unknown field becomes the first one, an operator that does not fit the field's first."""
    question = next((one for one in questions if one.key == key), questions[0])
    fitting = operator if operator in question.operators else next(iter(question.operators))
    return Row(question, fitting, value)


def read_rows(answers: Answers, questions: list[Question]) -> list[Row]:
    """Return the conditions as they stand on the screen."""
    sent = zip(answers.getlist("field"), answers.getlist("operator"), answers.getlist("value"), strict=False)
    return [make_row(questions, *one) for one in sent]


def to_filter(match: str, rows: Iterable[Row]) -> JSONObject:
    """Return the filter that ``rows`` spell. The core judges it."""
    return {"match": match, "conditions": [_to_condition(row) for row in rows]}


def from_filter(filter_: JSONValue, questions: list[Question]) -> list[Row] | None:
    """Return the rows that show ``filter_``, or None when rows cannot: it nests, or compares otherwise."""
    conditions = filter_.get("conditions") if isinstance(filter_, dict) else None
    if not isinstance(conditions, list):
        return None
    known = {question.key: question for question in questions}
    rows = [_from_condition(one, known) for one in conditions]
    return None if None in rows else [row for row in rows if row]


def _to_condition(row: Row) -> JSONObject:
    condition: JSONObject = {"field": row.question.key, "operator": row.operator}
    if row.operator == "in":
        condition["value"] = [one.strip() for one in row.value.split(",") if one.strip()]
    elif row.needs_value:
        condition["value"] = row.value
    return condition


def _from_condition(condition: JSONValue, known: Mapping[str, Question]) -> Row | None:
    if not isinstance(condition, dict):
        return None
    question, operator = known.get(str(condition.get("field"))), str(condition.get("operator"))
    if question is None or operator not in question.operators:
        return None
    value = condition.get("value", "")
    return Row(question, operator, ", ".join(map(str, value)) if isinstance(value, list) else _as_text(value))


def _as_text(value: JSONValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
