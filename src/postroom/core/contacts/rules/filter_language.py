"""The words of the filter language: what a condition may look at, and how each kind of thing is compared."""

from dataclasses import dataclass
from enum import Enum
from typing import Final
from uuid import UUID

from postroom.core.contacts.types import Deed, FieldType
from postroom.kit.types import JSONValue

MAX_DEPTH: Final = 4
MAX_CONDITIONS: Final = 60
MAX_CHOICES: Final = 1_000
MAX_OPERAND: Final = 1_000


class Kind(Enum):
    """How a field is compared."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    MULTISELECT = "multiselect"
    INSTANT = "instant"
    TAG = "tag"
    LIST = "list"
    STATUS = "status"
    FLAG = "flag"
    SUPPRESSION = "suppression"
    ACCOUNT = "account"
    CONSENT = "consent"
    DEED = "deed"


class Unit(Enum):
    """What a length of time is counted in."""

    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time, in days of the calendar."""

    amount: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Deeds:
    """Which deeds count: about any of some campaigns (none named: any mail), within a time until now, and how often."""

    campaigns: tuple[UUID, ...] = ()
    within: Span | None = None
    times: int = 1


Operand = JSONValue | Span | Deeds


@dataclass(frozen=True, slots=True)
class FieldRef:
    """What a condition looks at: a column of the contact, a key of its custom values, or something tied to it."""

    name: str
    kind: Kind
    is_custom: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; ``operands`` has one typed value, several where the operator takes a list, else none."""

    field: FieldRef
    operator: str
    operands: tuple[Operand, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions and groups of which all must hold, or any."""

    matches_all: bool
    parts: tuple["Condition | Group", ...]


Filter = Group

CORE_FIELDS: Final = {
    **{
        name: FieldRef(name, Kind.TEXT)
        for name in ("email", "first_name", "last_name", "company", "phone", "language", "timezone")
    },
    "created_at": FieldRef("created_at", Kind.INSTANT),
    "updated_at": FieldRef("updated_at", Kind.INSTANT),
    "tag": FieldRef("tag", Kind.TAG),
    "tags": FieldRef("tag", Kind.TAG),
    "list": FieldRef("list", Kind.LIST),
    # A dot keeps these apart from every custom field, whatever it is called.
    "person.status": FieldRef("status", Kind.STATUS),
    "person.opted_out": FieldRef("is_globally_opted_out", Kind.FLAG),
    "person.suppressed": FieldRef("suppressed", Kind.SUPPRESSION),
    "person.account": FieldRef("account", Kind.ACCOUNT),
    "person.consent": FieldRef("consent", Kind.CONSENT),
    **{f"mail.{deed}": FieldRef(deed, Kind.DEED) for deed in Deed},
}
RESERVED_KEYS: Final = frozenset({*CORE_FIELDS, "custom", "lists", "id", "uid", "name", "contact", "unsubscribe_url"})
"""Words that mean something else in filters and templates, so no custom field may be called so."""

KINDS: Final = {
    FieldType.NUMBER: Kind.NUMBER,
    FieldType.BOOLEAN: Kind.BOOLEAN,
    FieldType.DATE: Kind.DATE,
    FieldType.MULTISELECT: Kind.MULTISELECT,
}
ALIASES: Final = {"is_empty": "is_not_set", "is_not_empty": "is_set"}
PRESENCE: Final = frozenset({"is_set", "is_not_set"})
WITHOUT_VALUE: Final = PRESENCE | {"anniversary_today"}
WITH_CHOICES: Final = frozenset({"in", "not_in", "has_any", "has_all", "has_none"})
WITH_SPAN: Final = frozenset({"in_last", "not_in_last", "in_next", "ago"})

_ORDER: Final = frozenset({"gt", "lt", "gte", "lte"})
_WHEN: Final = _ORDER | {"before", "after", "eq", "neq", "between"} | WITH_SPAN | {"anniversary_today"}
_MEMBER: Final = PRESENCE | {"has", "not_has", "in", "has_any", "has_none"}
OPERATORS_OF: Final = {
    Kind.TEXT: PRESENCE | {"eq", "neq", "contains", "not_contains", "starts_with", "ends_with", "in", "not_in"},
    Kind.NUMBER: PRESENCE | _ORDER | {"eq", "neq", "in", "between"},
    Kind.BOOLEAN: PRESENCE | {"eq", "neq"},
    Kind.DATE: PRESENCE | _WHEN | {"in"},
    Kind.MULTISELECT: _MEMBER | {"contains", "not_contains", "has_all"},
    Kind.INSTANT: PRESENCE | _WHEN,
    Kind.TAG: _MEMBER | {"has_all"},
    Kind.LIST: _MEMBER | {"pending", "unsubscribed", "listed", "not_listed"},
    Kind.STATUS: frozenset({"eq", "neq", "in"}),
    Kind.FLAG: frozenset({"eq", "neq"}),
    Kind.SUPPRESSION: PRESENCE | {"eq", "in"},
    Kind.ACCOUNT: _MEMBER,
    Kind.CONSENT: frozenset({"granted", "withdrawn", "absent"}),
    Kind.DEED: frozenset({"did", "did_not"}),
}
OPERATORS: Final = frozenset().union(*OPERATORS_OF.values()) | frozenset(ALIASES)
