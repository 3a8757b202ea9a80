"""What the segment builder can ask: fields in groups, the comparisons that fit each, how values are entered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from postroom.core.contacts.types import Deed, FieldType, SubscriptionStatus, SuppressionReason

if TYPE_CHECKING:
    from postroom.core.contacts.models import Category, Field, List, Tag

Options = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison as the screen words it, and what it ``asks`` for: the name of a piece of the row's template."""

    words: str
    asks: str = "none"


@dataclass(frozen=True, slots=True)
class Question:
    """A field the builder offers: the word of the filter language, the word on the screen, how it is asked.

    ``options`` are what can be chosen, as (value, word), where the values are known.
    """

    key: str
    label: str
    kind: str
    group: str = "Person"
    options: Options = ()

    @property
    def comparisons(self) -> Mapping[str, Comparison]:
        """What can be asked of it, by operator."""
        return _COMPARISONS[self.kind]


_PRESENCE: Final = {"is_set": Comparison("is known"), "is_not_set": Comparison("is not known")}
_SPANS: Final = {
    "in_last": Comparison("is in the last", "span"),
    "not_in_last": Comparison("is not in the last", "span"),
    "ago": Comparison("was exactly … ago", "span"),
}
_DAYS: Final = {
    "eq": Comparison("is on", "date"),
    "neq": Comparison("is not on", "date"),
    "before": Comparison("is before", "date"),
    "lte": Comparison("is on or before", "date"),
    "after": Comparison("is after", "date"),
    "gte": Comparison("is on or after", "date"),
    "between": Comparison("is between", "dates"),
    **_SPANS,
}
_NUMBERS: Final = {
    "eq": Comparison("is", "number"),
    "neq": Comparison("is not", "number"),
    "gt": Comparison("is more than", "number"),
    "gte": Comparison("is at least", "number"),
    "lt": Comparison("is less than", "number"),
    "lte": Comparison("is at most", "number"),
    "between": Comparison("is between", "numbers"),
}
_TEXTS: Final = {
    "eq": Comparison("is", "text"),
    "neq": Comparison("is not", "text"),
    "contains": Comparison("contains", "text"),
    "not_contains": Comparison("does not contain", "text"),
    "starts_with": Comparison("starts with", "text"),
    "ends_with": Comparison("ends with", "text"),
    "in": Comparison("is one of", "lines"),
    "not_in": Comparison("is none of", "lines"),
}
_CHOICES: Final = {
    "has": Comparison("is", "option"),
    "not_has": Comparison("is not", "option"),
    "has_any": Comparison("has any of", "options"),
    "has_all": Comparison("has all of", "options"),
    "has_none": Comparison("has none of", "options"),
}
_COMPARISONS: Final[Mapping[str, Mapping[str, Comparison]]] = {
    "text": {**_TEXTS, **_PRESENCE},
    "select": {
        "eq": Comparison("is", "option"),
        "neq": Comparison("is not", "option"),
        "in": Comparison("is one of", "options"),
        "not_in": Comparison("is none of", "options"),
        "contains": Comparison("contains", "text"),
        "not_contains": Comparison("does not contain", "text"),
        "starts_with": Comparison("starts with", "text"),
        "ends_with": Comparison("ends with", "text"),
        **_PRESENCE,
    },
    "number": {**_NUMBERS, **_PRESENCE},
    "boolean": {"eq": Comparison("is", "boolean"), "neq": Comparison("is not", "boolean"), **_PRESENCE},
    "date": {
        **_DAYS,
        "in_next": Comparison("is in the next", "span"),
        "anniversary_today": Comparison("has its anniversary today"),
        **_PRESENCE,
    },
    "instant": _DAYS,
    "multiselect": {
        **_CHOICES,
        "has": Comparison("has", "option"),
        "not_has": Comparison("does not have", "option"),
        **_PRESENCE,
    },
    "words": {
        "has": Comparison("has", "text"),
        "not_has": Comparison("does not have", "text"),
        "has_any": Comparison("has any of", "lines"),
        "has_all": Comparison("has all of", "lines"),
        "has_none": Comparison("has none of", "lines"),
        **_PRESENCE,
    },
    "tag": {
        **_CHOICES,
        "has": Comparison("has", "option"),
        "not_has": Comparison("does not have", "option"),
        "is_set": Comparison("has any tag at all"),
        "is_not_set": Comparison("has no tag at all"),
    },
    "list": {
        "has": Comparison("is subscribed to", "option"),
        "not_has": Comparison("is not subscribed to", "option"),
        "has_any": Comparison("is subscribed to any of", "options"),
        "has_none": Comparison("is subscribed to none of", "options"),
        "pending": Comparison("has yet to confirm", "option"),
        "unsubscribed": Comparison("has left", "option"),
        "listed": Comparison("is or was on", "option"),
        "not_listed": Comparison("never was on", "option"),
        "is_set": Comparison("is subscribed to any list at all"),
        "is_not_set": Comparison("is subscribed to no list at all"),
    },
    "status": {
        "eq": Comparison("is", "option"),
        "neq": Comparison("is not", "option"),
        "in": Comparison("is one of", "options"),
    },
    "flag": {"eq": Comparison("is", "boolean"), "neq": Comparison("is not", "boolean")},
    "suppression": {
        "is_set": Comparison("is on the list"),
        "is_not_set": Comparison("is not on the list"),
        "eq": Comparison("is on it because of", "option"),
        "in": Comparison("is on it because of any of", "options"),
    },
    "account": {
        "has": Comparison("is", "text"),
        "not_has": Comparison("is not", "text"),
        "has_any": Comparison("is one of", "lines"),
        "has_none": Comparison("is none of", "lines"),
        "is_set": Comparison("is known"),
        "is_not_set": Comparison("is not known"),
    },
    "consent": {
        "granted": Comparison("is given for", "option"),
        "withdrawn": Comparison("is withdrawn for", "option"),
        "absent": Comparison("was never said for", "option"),
    },
    "deed": {"did": Comparison("yes", "deeds"), "did_not": Comparison("no", "deeds")},
}
_KINDS: Final = {
    FieldType.NUMBER: "number",
    FieldType.BOOLEAN: "boolean",
    FieldType.DATE: "date",
    FieldType.MULTISELECT: "multiselect",
    FieldType.SELECT: "select",
}
_WITHOUT_OPTIONS: Final = {"multiselect": "words", "select": "text"}
_DEEDS: Final = {
    Deed.SENT: "Was sent mail",
    Deed.OPENED: "Opened mail",
    Deed.CLICKED: "Clicked in mail",
    Deed.REPLIED: "Replied to mail",
    Deed.BOUNCED: "Mail bounced",
    Deed.COMPLAINED: "Complained about mail",
    Deed.UNSUBSCRIBED: "Unsubscribed from mail",
}
_OWN: Final = (
    Question("email", "E-mail", "text"),
    Question("first_name", "First name", "text"),
    Question("last_name", "Last name", "text"),
    Question("company", "Company (as written)", "text"),
    Question("person.account", "Company (linked)", "account"),
    Question("phone", "Phone", "text"),
    Question("language", "Language", "text"),
    Question("timezone", "Time zone", "text"),
    Question("created_at", "Added", "instant"),
    Question("updated_at", "Changed", "instant"),
)


def questions_for(
    *,
    fields: Iterable["Field"],
    tags: Iterable["Tag"] = (),
    lists: Iterable["List"] = (),
    categories: Iterable["Category"] = (),
) -> list[Question]:
    """Return everything that can be asked in a workspace."""
    mail = (Question(f"mail.{deed}", label, "deed", "Mail") for deed, label in _DEEDS.items())
    return [
        *_OWN,
        Question("tag", "Tag", "tag", "Groups", tuple((tag.name, tag.name) for tag in tags)),
        Question("list", "List", "list", "Groups", tuple((str(one.uid), one.name) for one in lists)),
        *mail,
        Question("person.status", "Standing", "status", "Permission", tuple(SubscriptionStatus.choices)),
        Question(
            "person.consent", "Consent", "consent", "Permission", tuple((one.slug, one.name) for one in categories)
        ),
        Question("person.opted_out", "Opted out of everything", "flag", "Permission"),
        Question(
            "person.suppressed",
            "Suppression list",
            "suppression",
            "Permission",
            tuple((value, str(label)) for value, label in SuppressionReason.choices),
        ),
        *map(_ask_custom, fields),
    ]


def _ask_custom(field: "Field") -> Question:
    kind = _KINDS.get(FieldType(field.type), "text")
    options = tuple((option, option) for option in field.options)
    if not options:
        kind = _WITHOUT_OPTIONS.get(kind, kind)
    return Question(f"custom.{field.key}", field.label, kind, "Own fields", options)
