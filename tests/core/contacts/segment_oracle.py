"""What a filter means, in plain Python: written from the description of the language, not from its SQL."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from postroom.kit.types import JSONObject, JSONValue


@dataclass(frozen=True)
class Person:
    """One person as the plain evaluation sees them; ``lists`` has a status by name, ``deeds`` what, whose and when."""

    texts: Mapping[str, str]
    custom: JSONObject
    created_at: datetime
    tags: frozenset[str] = frozenset()
    lists: Mapping[str, str] = field(default_factory=dict)
    accounts: frozenset[str] = frozenset()
    consents: Mapping[str, str] = field(default_factory=dict)
    status: str = "neutral"
    is_opted_out: bool = False
    suppressions: frozenset[str] = frozenset()
    deeds: tuple[tuple[str, str, datetime], ...] = ()


@dataclass(frozen=True)
class World:
    """When and where a question is asked, and of what type each custom field is."""

    now: datetime
    timezone: str
    types: Mapping[str, str]

    @property
    def today(self) -> date:
        return self.local(self.now)

    def local(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.timezone)).date()


def holds(part: JSONObject, person: Person, world: World) -> bool:
    """Evaluate a filter on one person."""
    if "conditions" in part:
        results = [holds(inner, person, world) for inner in part["conditions"]]  # type: ignore[union-attr, arg-type]
        return all(results) if part["match"] == "all" else any(results)
    name, operator, value = str(part["field"]), str(part["operator"]), composed(part.get("value"))
    operator = {"is_empty": "is_not_set", "is_not_empty": "is_set"}.get(operator, operator)
    if name.startswith("mail."):
        return deed_holds(name.removeprefix("mail."), operator, value, person, world)
    if name in TIED:
        return TIED[name](operator, value, person)
    if name == "created_at":
        return operator == "is_set" or day_holds(operator, value, world.local(person.created_at), world)
    if name in person.texts:
        is_email = name == "email"
        return text_holds(person.texts[name], operator, lowered(value) if is_email else value)
    return custom_holds(world.types[name], person.custom.get(name), operator, value, world)


def custom_holds(kind: str, stored: JSONValue, operator: str, value: JSONValue, world: World) -> bool:
    is_there = as_text(stored) not in {"", "[]"}
    if operator in {"is_set", "is_not_set"}:
        return is_there == (operator == "is_set")
    if kind == "number":
        is_number = isinstance(stored, (int, float)) and not isinstance(stored, bool)
        return is_number and order_holds(number(stored), operator, value, number)
    if kind == "boolean":
        return isinstance(stored, bool) and (stored is value) == (operator == "eq")
    if kind == "date":
        return (
            isinstance(stored, str)
            and bool(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", stored))
            and (stored_day_holds(operator, value, stored, world))
        )
    if kind == "multiselect":
        return choices_hold(stored, operator, value, is_there=is_there)
    return text_holds(as_text(stored), operator, value)


def stored_day_holds(operator: str, value: JSONValue, stored: str, world: World) -> bool:
    """A stored text of the shape of a day need not be one: 2026-02-31 still stands between others."""
    if operator == "anniversary_today":
        return stored[5:] in celebrated(world.today)
    if operator == "in":
        return isinstance(value, list) and stored in value
    first, last = (str(one) for one in days_meant(operator, value, world))
    return within(operator, stored, first, last)


def day_holds(operator: str, value: JSONValue, day: date, world: World) -> bool:
    if operator == "anniversary_today":
        return f"{day:%m-%d}" in celebrated(world.today)
    first, last = days_meant(operator, value, world)
    return within(operator, day, first, last)


def within(operator: str, day: object, first: object, last: object) -> bool:
    table: dict[str, Callable[[], bool]] = {
        "before": lambda: day < first,  # type: ignore[operator]
        "lt": lambda: day < first,  # type: ignore[operator]
        "lte": lambda: day <= first,  # type: ignore[operator]
        "after": lambda: day > first,  # type: ignore[operator]
        "gt": lambda: day > first,  # type: ignore[operator]
        "gte": lambda: day >= first,  # type: ignore[operator]
        "neq": lambda: day != first,
        "not_in_last": lambda: not first <= day <= last,  # type: ignore[operator]
    }
    return table.get(operator, lambda: first <= day <= last)()  # type: ignore[operator]


def days_meant(operator: str, value: JSONValue, world: World) -> tuple[date, date]:
    today = world.today
    if operator in {"in_last", "not_in_last", "in_next", "ago"}:
        then = shifted(today, value, 1 if operator == "in_next" else -1)
        return {"in_next": (today, then), "ago": (then, then)}.get(operator, (then, today))
    named = value if isinstance(value, list) else [value]
    return date.fromisoformat(str(named[0])), date.fromisoformat(str(named[-1]))


def shifted(day: date, span: JSONValue, sign: int) -> date:
    amount, unit = (span["amount"], span.get("unit", "days")) if isinstance(span, dict) else (span, "days")
    count = int(str(amount)) * sign
    if unit in {"days", "weeks"}:
        return day + timedelta(days=count * (7 if unit == "weeks" else 1))
    month = day.year * 12 + day.month - 1 + count * (12 if unit == "years" else 1)
    last = 31
    while True:
        try:
            return date(month // 12, month % 12 + 1, min(day.day, last))
        except ValueError:
            last -= 1


def celebrated(today: date) -> set[str]:
    is_short_february = (today.month, today.day) == (2, 28) and (today + timedelta(days=1)).day == 1
    return {f"{today:%m-%d}"} | ({"02-29"} if is_short_february else set())


def order_holds(mine: Decimal, operator: str, value: JSONValue, read: Callable[[JSONValue], Decimal]) -> bool:
    if operator in {"in", "between"}:
        assert isinstance(value, list)
        wanted = [read(one) for one in value]
        return mine in wanted if operator == "in" else wanted[0] <= mine <= wanted[1]
    other = read(value)
    return {
        "eq": mine == other,
        "neq": mine != other,
        "gt": mine > other,
        "lt": mine < other,
        "gte": mine >= other,
        "lte": mine <= other,
    }[operator]


def number(value: JSONValue) -> Decimal:
    return Decimal(str(value))


def choices_hold(stored: JSONValue, operator: str, value: JSONValue, *, is_there: bool) -> bool:
    mine: set[str] = {stored} if isinstance(stored, str) else set()
    if isinstance(stored, (list, dict)):
        mine = {one for one in stored if isinstance(one, str)}
    wanted = {str(one) for one in value} if isinstance(value, list) else {str(value)}
    return {
        "has": bool(mine & wanted),
        "contains": bool(mine & wanted),
        "in": bool(mine & wanted),
        "has_any": bool(mine & wanted),
        "has_all": wanted <= mine,
        "not_has": not mine & wanted,
        "has_none": not mine & wanted,
        "not_contains": not mine & wanted and is_there,
    }[operator]


def text_holds(text: str, operator: str, value: JSONValue) -> bool:
    if operator in {"is_set", "is_not_set"}:
        return (text != "") == (operator == "is_set")
    if operator in {"in", "not_in"}:
        assert isinstance(value, list)
        return text in value if operator == "in" else text != "" and text not in value
    needle = str(value)
    found = {
        "eq": text == needle,
        "neq": text != needle,
        "contains": folded(needle) in folded(text),
        "not_contains": folded(needle) not in folded(text),
        "starts_with": folded(text).startswith(folded(needle)),
        "ends_with": folded(text).endswith(folded(needle)),
    }[operator]
    return found and text != ""


def folded(text: str) -> str:
    """Lower case letter by letter, as the database does it: no letter becomes two."""
    return "".join(letter.lower()[0] for letter in text)


def composed(value: JSONValue) -> JSONValue:
    """What is asked for is read as every text that comes in: letters with their marks in one piece, no space around."""
    if isinstance(value, list):
        return [composed(one) for one in value]
    return unicodedata.normalize("NFC", value).strip() if isinstance(value, str) else value


def lowered(value: JSONValue) -> JSONValue:
    return [str(one).lower() for one in value] if isinstance(value, list) else str(value).lower()


def named_hold(mine: set[str], operator: str, value: JSONValue) -> bool:
    if operator in {"is_set", "is_not_set"}:
        return bool(mine) == (operator == "is_set")
    mine = {folded(one) for one in mine}
    wanted = {folded(str(one)) for one in value} if isinstance(value, list) else {folded(str(value))}
    if operator == "has_all":
        return wanted <= mine
    return bool(mine & wanted) != (operator in {"not_has", "has_none", "not_listed"})


def lists_hold(operator: str, value: JSONValue, person: Person) -> bool:
    counted = {"pending": {"pending"}, "unsubscribed": {"unsubscribed"}}.get(operator, {"subscribed"})
    if operator in {"listed", "not_listed"}:
        counted = {"pending", "unsubscribed", "subscribed"}
    mine = {name for name, status in person.lists.items() if status in counted}
    return named_hold(mine, operator, value)


def consent_holds(operator: str, value: JSONValue, person: Person) -> bool:
    return person.consents.get(str(value), "absent") == operator


def status_holds(operator: str, value: JSONValue, person: Person) -> bool:
    wanted = value if isinstance(value, list) else [value]
    return (person.status in wanted) != (operator == "neq")


def suppression_holds(operator: str, value: JSONValue, person: Person) -> bool:
    return named_hold(set(person.suppressions), operator, value)


def deed_holds(deed: str, operator: str, value: JSONValue, person: Person, world: World) -> bool:
    wanted = value if isinstance(value, dict) else {}
    named = wanted.get("campaign") or []
    campaigns = {str(one) for one in named} if isinstance(named, list) else {str(named)}
    since = shifted(world.today, wanted["within"], -1) if wanted.get("within") else date.min
    count = sum(
        one == deed and (not campaigns or campaign in campaigns) and world.local(at) >= since
        for one, campaign, at in person.deeds
    )
    return (count >= int(str(wanted.get("times") or 1))) == (operator == "did")


def as_text(value: JSONValue) -> str:
    """What the database makes of a JSON value as a text; of those that the tests store."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}": {inner(one)}' for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inner, value)) + "]"
    return value if isinstance(value, str) else numeral(value)


def inner(value: JSONValue) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return as_text(value)


def numeral(value: float) -> str:
    return format(Decimal(str(value)), "f")


TIED: Final[Mapping[str, Callable[[str, JSONValue, Person], bool]]] = {
    "tag": lambda operator, value, person: named_hold(set(person.tags), operator, value),
    "tags": lambda operator, value, person: named_hold(set(person.tags), operator, value),
    "list": lists_hold,
    "person.account": lambda operator, value, person: named_hold(set(person.accounts), operator, value),
    "person.consent": consent_holds,
    "person.status": status_holds,
    "person.opted_out": lambda operator, value, person: (person.is_opted_out is value) == (operator == "eq"),
    "person.suppressed": suppression_holds,
}
