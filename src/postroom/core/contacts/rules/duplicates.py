"""Whether two records look like one person."""

import re
from typing import Final, Protocol

from postroom.core.contacts.rules.search import fold
from postroom.core.contacts.types import Resemblance

_NO_DIGIT: Final = re.compile(r"\D")
_LEAST_DIGITS: Final = 7
_LEAST_LOCAL: Final = 4
ENOUGH: Final = 3
"""The score from which on two records are suggested as one person."""

# Mailboxes of an office are nobody's own name.
_OFFICES: Final = frozenset({"info", "office", "contact", "hello", "mail", "sales", "support", "admin", "team"})


class Person(Protocol):
    """What is compared of a person."""

    email: str | None
    first_name: str
    last_name: str
    company: str
    phone: str


def compare(one: Person, other: Person) -> Resemblance:
    """Return what speaks for the two being one person."""
    found = [(score, reason) for score, reason, holds in _tests(one, other) if holds]
    return Resemblance(sum(score for score, _ in found), tuple(reason for _, reason in found))


def _tests(one: Person, other: Person) -> list[tuple[int, str, bool]]:
    names, others = _name(one), _name(other)
    local, other_local = _local_part(one), _local_part(other)
    phone, other_phone = _digits(one.phone), _digits(other.phone)
    company, other_company = fold(one.company).split(), fold(other.company).split()
    return [
        (3, "the same name", len(names) > 1 and names == others),
        (1, "the same name", len(names) == 1 and names == others),
        (3, "the same name before the @", bool(local) and local == other_local),
        (3, "the same phone number", bool(phone) and phone == other_phone),
        (1, "the same company", bool(company) and company == other_company),
    ]


def _name(person: Person) -> list[str]:
    """First and last name may stand in either order."""
    return sorted(fold(f"{person.first_name} {person.last_name}").split())


def _local_part(person: Person) -> str:
    local = (person.email or "").partition("@")[0].partition("+")[0].replace(".", "")
    return local if len(local) >= _LEAST_LOCAL and local not in _OFFICES else ""


def _digits(phone: str) -> str:
    """The last digits are the same with and without a country code."""
    digits = _NO_DIGIT.sub("", phone)
    return digits[-9:] if len(digits) >= _LEAST_DIGITS else ""
