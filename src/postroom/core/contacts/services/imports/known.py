"""Finds whom the organization knows already by the addresses of a batch, and changes their records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection

from postroom.core.contacts.rules.import_lines import LINE_COLUMNS, NULL, StagedPerson, escape, names_of, tsvector_text
from postroom.core.contacts.rules.search import search_words
from postroom.core.contacts.services.imports.places import Placed, by_person
from postroom.core.contacts.services.imports.target import MergeTarget
from postroom.kit.arrays import text_array_text
from postroom.kit.copy import copy_lines

# OFFSET 0 keeps it one look-up per address, whatever the planner believes of an organization that grows while it is not
# looking. Whoever is found stays as they are until the batch is in.
_FIND: Final = """
SELECT e.email, c.* FROM unnest(%s::text[]) WITH ORDINALITY AS e(email, n) CROSS JOIN LATERAL (
    SELECT id, email, first_name, last_name, company, erased_at IS NOT NULL FROM contacts_contact
    WHERE organization_id = %s AND email = e.email OFFSET 0 FOR NO KEY UPDATE
) c ORDER BY e.n
"""
_HAS_MERGED: Final = "SELECT EXISTS (SELECT 1 FROM contacts_contactalias WHERE organization_id = %s AND email <> '')"
# An address that was given up in a merge still means the person it was merged into.
_FIND_MERGED: Final = """
SELECT a.email, c.id, c.email, c.first_name, c.last_name, c.company, c.erased_at IS NOT NULL
FROM contacts_contactalias a JOIN contacts_contact c ON c.id = a.contact_id
WHERE a.organization_id = %s AND a.email = ANY(%s::text[]) ORDER BY c.id FOR NO KEY UPDATE OF c
"""
_MAKE_STAGE: Final = """
CREATE TEMPORARY TABLE IF NOT EXISTS contacts_import_stage (
    contact_id bigint, uid uuid, email text, address_hash bytea, first_name text, last_name text, company text,
    phone text, language text, timezone text, custom jsonb, search tsvector
) ON COMMIT DELETE ROWS
"""
# Empty cells change nothing, and a row that changes nothing leaves no dead tuple behind.
_UPDATE: Final = """
UPDATE contacts_contact c SET
    first_name = COALESCE(NULLIF(s.first_name, ''), c.first_name),
    last_name = COALESCE(NULLIF(s.last_name, ''), c.last_name),
    company = COALESCE(NULLIF(s.company, ''), c.company),
    phone = COALESCE(NULLIF(s.phone, ''), c.phone),
    language = COALESCE(NULLIF(s.language, ''), c.language),
    timezone = COALESCE(NULLIF(s.timezone, ''), c.timezone),
    custom = c.custom || s.custom,
    search = COALESCE(s.search, c.search),
    updated_at = %s
FROM contacts_import_stage s
WHERE c.id = s.contact_id AND (
    s.first_name NOT IN ('', c.first_name) OR s.last_name NOT IN ('', c.last_name)
    OR s.company NOT IN ('', c.company) OR s.phone NOT IN ('', c.phone)
    OR s.language NOT IN ('', c.language) OR s.timezone NOT IN ('', c.timezone)
    OR NOT c.custom @> s.custom)
"""


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """Somebody the organization has already, with what they are searched by; one who ``is_erased`` is about to go."""

    id: int
    email: str | None
    first_name: str
    last_name: str
    company: str
    is_erased: bool = False


def find_known(people: Sequence[StagedPerson], target: MergeTarget) -> dict[str, KnownPerson]:
    """Return who is known by the addresses of ``people``, locked until the transaction ends."""
    organization = target.workspace.organization_id
    emails = [person.email for person in people if person.email]
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [text_array_text(emails), organization])
        known = {email: KnownPerson(*row) for email, *row in cursor.fetchall()}
        cursor.execute(_HAS_MERGED, [organization])
        if cursor.fetchone()[0]:
            rest = text_array_text(email for email in emails if email not in known)
            cursor.execute(_FIND_MERGED, [organization, rest])
            known |= {email: KnownPerson(*row) for email, *row in cursor.fetchall()}
    return known


def update_known(people: Sequence[Placed], known: dict[int, KnownPerson], target: MergeTarget) -> None:
    """Write what the file says of people over their records; ``known`` follows."""
    for group in by_person(people):
        with connection.cursor() as cursor:
            cursor.execute(_MAKE_STAGE)
            cursor.execute("TRUNCATE contacts_import_stage")
            lines = (f"{key}\t{_with_words(known, key, person.line)}\n" for key, person in group)
            copy_lines("contacts_import_stage", ("contact_id", *LINE_COLUMNS), lines)
            cursor.execute(_UPDATE, [target.now])


def _with_words(known: dict[int, KnownPerson], key: int, line: str) -> str:
    """Return the line with the words by which the person will be found, or none when these stay the same."""
    before = known[key]
    first_name, last_name, company = names_of(line)
    known[key] = after = KnownPerson(
        key,
        before.email,
        first_name or before.first_name,
        last_name or before.last_name,
        company or before.company,
    )
    rest = line.rpartition("\t")[0]
    return f"{rest}\t{NULL if after == before else escape(tsvector_text(_words(after)))}"


def _words(person: KnownPerson) -> list[str]:
    return search_words(
        email=person.email, first_name=person.first_name, last_name=person.last_name, company=person.company
    )
