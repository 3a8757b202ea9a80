"""A filter is understood or refused; it is never read as "everyone"."""

import re
from datetime import date

import pytest

from postroom.core.contacts.errors import BadFilter
from postroom.core.contacts.rules import OPERATORS, Room, compile_filter, parse_filter
from postroom.core.contacts.rules.filter_days import anniversaries, move
from postroom.core.contacts.rules.filter_language import Span, Unit
from postroom.core.contacts.types import FieldSpec, FieldType
from postroom.kit.types import JSONValue
from tests.factories import NOW

FIELDS = [FieldSpec(type_.value, type_.value.capitalize(), type_) for type_ in FieldType if type_ != "email"]
ROOM = Room(1, 1, NOW)
GOOD: JSONValue = {"field": "email", "operator": "is_set"}


def one(field: str, operator: str, value: JSONValue = None) -> JSONValue:
    return {"match": "all", "conditions": [{"field": field, "operator": operator, "value": value}]}


def nested(depth: int) -> JSONValue:
    filter_: JSONValue = {"match": "all", "conditions": [GOOD]}
    for _ in range(depth - 1):
        filter_ = {"match": "any", "conditions": [filter_]}
    return filter_


@pytest.mark.parametrize(
    ("filter_", "said"),
    [
        (None, "The filter: expected an object"),
        ([], "The filter: expected an object"),
        ({}, "match must be"),
        ({"match": "some", "conditions": [GOOD]}, "match must be"),
        ({"match": ["all"], "conditions": [GOOD]}, "match must be"),
        ({"match": "all"}, "at least one condition"),
        ({"match": "all", "conditions": []}, "at least one condition"),
        ({"match": "all", "conditions": [GOOD, {"match": "any", "conditions": []}]}, "Condition 2: at least"),
        ({"match": "all", "conditions": [5]}, "Condition 1: expected"),
        ({"match": "all", "conditions": [GOOD, {"field": 1, "operator": "eq"}]}, "Condition 2: field"),
        ({"match": "all", "conditions": [GOOD, {"match": "any", "conditions": [GOOD, 5]}]}, r"Condition 2\.2: exp"),
        (one("email", "like", "x"), "no operator 'like'"),
        (one("email", "eq; DROP TABLE", "x"), "no operator"),
        (one("nothing", "eq", "x"), "no field 'nothing'"),
        (one("custom.email", "eq", "x"), "no field"),
        (one("password", "is_set"), "no field"),
        (one("email", "in", []), "at least one value"),
        (one("email", "in", "a"), "at least one value"),
        (one("email", "in", [""]), "needs a value"),
        (one("email", "in", ["a"] * 1001), "at most 1000"),
        (one("email", "eq", None), "needs a value"),
        (one("email", "eq", ""), "needs a value"),
        (one("email", "eq", ["a"]), "not a text"),
        (one("email", "contains", "a\0"), "NUL"),
        (one("email", "contains", "\ud800"), "not text"),
        (one("email", "contains", "a" * 1001), "longer than"),
        (one("email", "gt", "a"), "cannot be compared with gt"),
        (one("number", "gt", "many"), "not a number"),
        (one("number", "contains", "1"), "cannot be compared"),
        (one("boolean", "eq", "perhaps"), "not yes or no"),
        (one("date", "before", "soon"), "not a date"),
        (one("created_at", "after", "2026-13-01"), "not a day"),
        (one("multiselect", "eq", "a"), "cannot be compared"),
        (one("tag", "eq", "a"), "cannot be compared"),
        (one("date", "in_last", "soon"), "whole number from 0 to 36,500"),
        (one("date", "in_last", -1), "whole number"),
        (one("date", "in_last", True), "whole number"),
        (one("date", "in_last", 1.5), "whole number"),
        (one("date", "ago", {"amount": 101, "unit": "years"}), "from 0 to 100"),
        (one("date", "in_next", {"amount": 1, "unit": "fortnights"}), "days, weeks, months, years"),
        (one("date", "in_next", {"amount": 1, "unit": ["days"]}), "days, weeks, months, years"),
        (one("date", "between", "2026-01-01"), "two values"),
        (one("number", "between", [1, 2, 3]), "two values"),
        (one("number", "between", [1, "x"]), "not a number"),
        (one("tag", "has_all", []), "at least one value"),
        (one("person.status", "eq", "away"), "status is one of neutral"),
        (one("person.suppressed", "in", ["manual", "whim"]), "suppressed is one of"),
        (one("person.consent", "granted", ""), "needs a value"),
        (one("person.opted_out", "eq", "maybe"), "not yes or no"),
        (one("mail.opened", "did", "yes"), "expected an object"),
        (one("mail.opened", "did", {"campaigns": "x"}), "expected an object"),
        (one("mail.opened", "did", {"campaign": "x"}), "by its uid"),
        (one("mail.opened", "did", {"campaign": [5]}), "by its uid"),
        (one("mail.opened", "did", {"times": 0}), "times needs a whole number from 1"),
        (one("mail.opened", "did", {"within": {"amount": "9" * 10}}), "whole number"),
        (one("mail.opened", "eq", 1), "cannot be compared with eq"),
        (one("mail.danced", "did"), "no field 'mail.danced'"),
        (nested(5), "nested more than 4"),
        ({"match": "all", "conditions": [GOOD] * 61}, "61 conditions"),
    ],
)
def test_a_filter_that_cannot_be_understood_is_refused_with_its_place(filter_: JSONValue, said: str) -> None:
    with pytest.raises(BadFilter, match=said):
        parse_filter(filter_, FIELDS)


PAYLOADS = ("' OR 1=1 --", "%s", "%(x)s", "\\", "$1", '"; DROP TABLE contacts_contact; --', "{}", "?|")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_a_user_wrote_is_never_in_the_statement(payload: str) -> None:
    field = FieldSpec(payload, payload, FieldType.TEXT)
    for operator in sorted(OPERATORS):
        value: JSONValue = [payload] if operator == "in" else payload
        for name in ("email", payload, "tag", "list", "multiselect"):
            try:
                filter_ = parse_filter(one(name, operator, value), [*FIELDS, field])
            except BadFilter:
                continue
            sql = compile_filter(filter_, ROOM)
            placeholders = len(re.findall("%s", sql.text))
            assert placeholders == len(sql.params)
            assert "DROP" not in sql.text
            assert "1=1" not in sql.text


@pytest.mark.parametrize(
    ("day", "span", "back", "forth"),
    [
        (date(2026, 3, 31), Span(1, Unit.MONTHS), date(2026, 2, 28), date(2026, 4, 30)),
        (date(2028, 2, 29), Span(1, Unit.YEARS), date(2027, 2, 28), date(2029, 2, 28)),
        (date(2026, 1, 1), Span(1, Unit.DAYS), date(2025, 12, 31), date(2026, 1, 2)),
        (date(2026, 1, 1), Span(2, Unit.WEEKS), date(2025, 12, 18), date(2026, 1, 15)),
        (date(2026, 12, 31), Span(14, Unit.MONTHS), date(2025, 10, 31), date(2028, 2, 29)),
        (date(50, 1, 1), Span(100, Unit.YEARS), date.min, date(150, 1, 1)),
        (date(9950, 1, 1), Span(36_500, Unit.DAYS), date(9850, 1, 25), date.max),
    ],
)
def test_a_span_ends_on_a_day_of_the_calendar(day: date, span: Span, back: date, forth: date) -> None:
    assert (move(day, span, back=True), move(day, span)) == (back, forth)


def test_who_was_born_on_a_leap_day_is_celebrated_every_year() -> None:
    celebrated = {day: anniversaries(day) for day in (date(2027, 2, 28), date(2028, 2, 28), date(2028, 2, 29))}
    assert list(celebrated.values()) == [["02-28", "02-29"], ["02-28"], ["02-29"]]


def test_every_or_is_in_parentheses() -> None:
    sql = compile_filter(parse_filter(nested(3), FIELDS), ROOM).text
    both = compile_filter(
        parse_filter({"match": "any", "conditions": [GOOD, {"match": "all", "conditions": [GOOD]}]}, FIELDS), ROOM
    ).text
    for text in (sql, both):
        assert text.startswith("(")
        assert text.endswith(")")
    assert " OR " in both
