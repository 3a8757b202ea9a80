"""Merges one batch of people: staged by COPY, then a handful of set-wise statements whatever the batch's size."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import DataError, IntegrityError, connection, transaction
from psycopg.types.json import Jsonb

from postroom.core.contacts.errors import BadRow
from postroom.core.contacts.rules.import_rows import LINE_LENGTHS, ImportedPerson
from postroom.core.contacts.services.people import find_or_make_tags
from postroom.core.contacts.types import ImportMapping
from postroom.core.events import services as events
from postroom.core.events.types import NewEvent
from postroom.core.workspaces.models import Workspace
from postroom.kit import crypto
from postroom.kit.copy import copy_rows
from postroom.kit.ids import uuid7

GoodRow = tuple[int, ImportedPerson]

_STAGE_COLUMNS: Final = ("uid", "email", "address_hash", *LINE_LENGTHS, "custom", "tag_ids")
_MAKE_STAGE: Final = """
CREATE TEMPORARY TABLE IF NOT EXISTS contacts_import_stage (
    uid uuid, email text, address_hash bytea, first_name text, last_name text, company text, phone text,
    language text, timezone text, custom jsonb, tag_ids bigint[]
) ON COMMIT DELETE ROWS
"""
# Empty cells change nothing, and a row that changes nothing leaves no dead tuple behind. Addresses come in order, so
# that two imports at once cannot wait for each other in a ring.
_MERGE_PEOPLE: Final = """
WITH merged AS (
    INSERT INTO contacts_contact AS c
        (uid, organization_id, email, address_hash, first_name, last_name, company, phone, language, timezone, custom,
         is_globally_opted_out, created_at, updated_at)
    SELECT uid, %(organization)s, email, address_hash, first_name, last_name, company, phone, language, timezone,
           custom, false, %(now)s, %(now)s
    FROM contacts_import_stage ORDER BY email
    ON CONFLICT (organization_id, email) DO UPDATE SET
        first_name = COALESCE(NULLIF(excluded.first_name, ''), c.first_name),
        last_name = COALESCE(NULLIF(excluded.last_name, ''), c.last_name),
        company = COALESCE(NULLIF(excluded.company, ''), c.company),
        phone = COALESCE(NULLIF(excluded.phone, ''), c.phone),
        language = COALESCE(NULLIF(excluded.language, ''), c.language),
        timezone = COALESCE(NULLIF(excluded.timezone, ''), c.timezone),
        custom = c.custom || excluded.custom,
        updated_at = excluded.updated_at
    WHERE (excluded.first_name NOT IN ('', c.first_name)) OR (excluded.last_name NOT IN ('', c.last_name))
        OR (excluded.company NOT IN ('', c.company)) OR (excluded.phone NOT IN ('', c.phone))
        OR (excluded.language NOT IN ('', c.language)) OR (excluded.timezone NOT IN ('', c.timezone))
        OR NOT c.custom @> excluded.custom
    RETURNING c.id, c.xmax = 0 AS is_new
)
SELECT id FROM merged WHERE is_new
"""
# Whoever left the list stays off it: an import is no change of their mind; nor does it confirm anybody on a list whose
# people confirm themselves. OFFSET 0 keeps it one look-up per address, whatever the planner believes of an organization
# that grows while it is not looking.
_PLACE_PEOPLE: Final = """
WITH people AS MATERIALIZED (
    SELECT c.id, s.tag_ids FROM contacts_import_stage s CROSS JOIN LATERAL (
        SELECT id FROM contacts_contact WHERE organization_id = %(organization)s AND email = s.email OFFSET 0
    ) c
), linked AS (
    INSERT INTO contacts_contactworkspace (contact_id, workspace_id, status, created_at)
    SELECT id, %(workspace)s, 'neutral', %(now)s FROM people
    ON CONFLICT (workspace_id, contact_id) DO NOTHING
), tagged AS (
    INSERT INTO contacts_contacttag (contact_id, tag_id)
    SELECT id, tag_id FROM people, unnest(tag_ids) tag_id
    ON CONFLICT (tag_id, contact_id) DO NOTHING
)
INSERT INTO contacts_listmember AS m
    (contact_id, list_id, status, reason, properties, source, created_at, updated_at)
SELECT people.id, l.id, CASE WHEN l.is_double_opt_in THEN 'pending' ELSE 'subscribed' END, '', '{}', %(source)s,
       %(now)s, %(now)s
FROM people JOIN contacts_list l ON l.id = %(list)s::bigint
ON CONFLICT (list_id, contact_id)
DO UPDATE SET status = excluded.status, updated_at = excluded.updated_at
WHERE m.status = 'pending' AND excluded.status = 'subscribed'
"""


@dataclass(frozen=True, slots=True)
class MergeTarget:
    """Where an import's people go."""

    run_id: int
    workspace: Workspace
    mapping: ImportMapping
    source: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of a batch's rows; those neither created nor refused met somebody known."""

    created: int = 0
    refused: list[tuple[int, BadRow]] = field(default_factory=list)


def merge_rows(rows: Sequence[GoodRow], target: MergeTarget) -> Merged:
    """Merge rows into the workspace, within the caller's transaction; a row the database refuses spoils no other."""
    if not rows:
        return Merged()
    try:
        with transaction.atomic():
            return Merged(created=_merge(rows, target))
    except (DataError, IntegrityError) as error:
        if len(rows) == 1:
            return Merged(refused=[(rows[0][0], BadRow(f"The database refused the row: {type(error).__name__}."))])
    middle = len(rows) // 2
    halves = [merge_rows(half, target) for half in (rows[:middle], rows[middle:])]
    return Merged(sum(half.created for half in halves), [bad for half in halves for bad in half.refused])


def _merge(rows: Sequence[GoodRow], target: MergeTarget) -> int:
    people = _one_per_address(rows)
    with connection.cursor() as cursor:
        _stage(cursor, people, target)
        params = {
            "organization": target.workspace.organization_id,
            "workspace": target.workspace.pk,
            "list": target.mapping.list_id,
            "source": target.source,
            "now": target.now,
        }
        cursor.execute(_MERGE_PEOPLE, params)
        created = [contact_id for (contact_id,) in cursor.fetchall()]
        cursor.execute(_PLACE_PEOPLE, params)
    _tell(created, target)
    return len(created)


def _tell(created: list[int], target: MergeTarget) -> None:
    """Tell of a whole batch in one event: a row for each of a million people would cost more than the people do."""
    if created:
        event = NewEvent("contacts.imported", "import", target.run_id, data={"created_ids": [*created]})
        events.record_event(workspace=target.workspace, event=event, now=target.now)


def _one_per_address(rows: Sequence[GoodRow]) -> list[ImportedPerson]:
    people: dict[str, ImportedPerson] = {}
    for _, person in rows:
        earlier = people.get(person.email)
        people[person.email] = earlier.merged_with(person) if earlier else person
    return list(people.values())


def _stage(cursor: Any, people: list[ImportedPerson], target: MergeTarget) -> None:
    everyone = find_or_make_tags(workspace=target.workspace, names=target.mapping.tags, now=target.now)
    names = {name for person in people for name in person.tags}
    tags = find_or_make_tags(workspace=target.workspace, names=names, now=target.now)
    # Foreign keys are checked now, inside the savepoint, and not at the commit, where one bad row would take all along.
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute(_MAKE_STAGE)
    cursor.execute("TRUNCATE contacts_import_stage")
    lines = (
        (
            uuid7(),
            person.email,
            crypto.address_hash(person.email),
            *person.lines,
            Jsonb(person.custom),
            _array_literal((*everyone.values(), *(tags[name] for name in person.tags))),
        )
        for person in people
    )
    copy_rows("contacts_import_stage", _STAGE_COLUMNS, lines)


def _array_literal(ids: Iterable[int]) -> str:
    """PostgreSQL's own spelling of an array, much quicker to write than an adapted list."""
    return "{" + ",".join(map(str, ids)) + "}"
