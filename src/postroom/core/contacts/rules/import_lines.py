"""Writes imported people as lines of PostgreSQL's COPY text format, ready to be sent."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from postroom.core.contacts.rules.import_rows import LINE_LENGTHS, ImportedPerson, Standing
from postroom.core.contacts.rules.search import search_words
from postroom.kit import crypto
from postroom.kit.ids import uuid7_texts

LINE_COLUMNS: Final = ("uid", "email", "address_hash", *LINE_LENGTHS, "custom", "search")
"""The columns of a ``StagedPerson.line``."""
NULL: Final = "\\N"
_NAMES: Final = slice(3, 6)


class StagedPerson(NamedTuple):
    """A person ready for the database (a plain tuple, for millions pass a pipe); ``rows`` are the file's they come of.

    ``line`` holds ``LINE_COLUMNS``, separated by tabs.
    """

    rows: tuple[int, ...]
    email: str | None
    line: str
    tags: tuple[str, ...]
    lists: tuple[tuple[str, str], ...]
    standing: Standing


def stage_people(rows: Iterable[tuple[int, ImportedPerson]]) -> list[StagedPerson]:
    """Return the people of numbered rows, one per address, in the order of their addresses: whoever writes them in this
    order waits for nobody in a ring.
    """
    people: dict[str | int, tuple[tuple[int, ...], ImportedPerson]] = {}
    for number, person in rows:
        key = person.email or number
        earlier = people.get(key)
        people[key] = ((*earlier[0], number), earlier[1].merged_with(person)) if earlier else ((number,), person)
    ordered = sorted(people.values(), key=lambda one: one[1].email or "")
    return [
        StagedPerson(numbers, person.email, _line(person, uid), person.tags, person.lists, person.standing)
        for uid, (numbers, person) in zip(uuid7_texts(len(ordered)), ordered, strict=True)
    ]


def names_of(line: str) -> list[str]:
    """Return first name, last name and company of a ``StagedPerson.line``."""
    return [text.replace("\\\\", "\\") for text in line.split("\t", 6)[_NAMES]]


def tsvector_text(words: Iterable[str]) -> str:
    """Return words as PostgreSQL reads a ``tsvector`` (section 8.11.1)."""
    text = "\0".join(words)
    if "'" in text or "\\" in text:
        text = text.replace("\\", "\\\\").replace("'", "''")
    return "'" + text.replace("\0", "' '") + "'" if text else ""


def escape(text: str) -> str:
    """Return cells, already separated by tabs, as COPY reads them. They hold no other control character: lines are
    clean, and JSON spells them out.
    """
    return text.replace("\\", "\\\\") if "\\" in text else text


def _line(person: ImportedPerson, uid: str) -> str:
    email, lines = person.email, person.lines
    words = search_words(email=email, first_name=lines[0], last_name=lines[1], company=lines[2])
    custom = ", ".join(person.pieces.values())
    cells = escape("\t".join((*lines, f"{{{custom}}}", tsvector_text(words))))
    if email is None:
        return f"{uid}\t{NULL}\t{NULL}\t{cells}"
    return f"{uid}\t{escape(email)}\t\\\\x{crypto.address_hash(email).hex()}\t{cells}"
