"""Merges one batch of people by a handful of set-wise statements, whatever its size: whoever is new goes by COPY right
into the tables, whoever is known by way of a stage.
"""

from collections.abc import Sequence
from typing import Final

from django.db import DataError, IntegrityError, connection, transaction

from postroom.core.contacts.rules.import_lines import LINE_COLUMNS, NULL, StagedPerson
from postroom.core.contacts.services.imports.known import find_known, update_known
from postroom.core.contacts.services.imports.places import Placed, Places
from postroom.core.contacts.services.imports.standing import keep_standing
from postroom.core.contacts.services.imports.target import Merged, MergeTarget, Refusal
from postroom.kit.copy import copy_lines

_ERASED: Final = "This person has just been erased."
_RESERVE: Final = "SELECT nextval('contacts_contact_id_seq') FROM generate_series(1, %s)"
_CONTACT_COLUMNS: Final = (
    "id",
    *LINE_COLUMNS,
    "created_at",
    "updated_at",
    "organization_id",
    "is_globally_opted_out",
    "globally_opted_out_at",
)


def merge_people(people: Sequence[StagedPerson], target: MergeTarget) -> Merged:
    """Merge people into the workspace, within the caller's transaction; one the database refuses spoils no other.

    The second try is for those whose address a quicker writer has just taken: now they are known.
    """
    if not people:
        return Merged()
    for _ in range(2):
        try:
            with transaction.atomic():
                return _merge(people, target)
        except (DataError, IntegrityError) as error:
            reason = f"The database refused the row: {type(error).__name__}."
    if len(people) == 1:
        return Merged(refused=[Refusal(number, reason) for number in people[0].rows])
    middle = len(people) // 2
    halves = [merge_people(half, target) for half in (people[:middle], people[middle:])]
    return Merged(
        [key for half in halves for key in half.created_ids],
        sum(half.skipped for half in halves),
        [refusal for half in halves for refusal in half.refused],
    )


def _merge(people: Sequence[StagedPerson], target: MergeTarget) -> Merged:
    with connection.cursor() as cursor:
        # What is deferred is checked now, inside the savepoint, and not at the commit, where one bad row would take
        # all along.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    places = Places(people, target)
    found = find_known(people, target)
    known = {one.id: one for one in found.values()}
    met = [(found[person.email], person) for person in people if person.email in found]
    old = [(one.id, person) for one, person in met if not one.is_erased]
    skipped = [person for key, person in old if _is_skipped(key, target)]
    update_known([(key, person) for key, person in old if not _is_skipped(key, target)], known, target)
    new = _insert([person for person in people if person.email not in found], target)
    keep_standing(new, places.fill_new(new), old, places.fill_known(old), target)
    refused = [Refusal(number, _ERASED) for one, person in met if one.is_erased for number in person.rows]
    return Merged([key for key, _ in new], sum(len(person.rows) for person in skipped), refused)


def _is_skipped(contact_id: int, target: MergeTarget) -> bool:
    """Whether a record stays as it is; those this import itself made are its own, and later rows are merged."""
    is_own = target.own_from is not None and contact_id >= target.own_from
    return target.mapping.on_known == "skip" and not is_own


def _insert(people: Sequence[StagedPerson], target: MergeTarget) -> list[Placed]:
    if not people:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_RESERVE, [len(people)])
        placed = [(key, person) for (key,), person in zip(cursor.fetchall(), people, strict=True)]
    now = target.now.isoformat()
    ends = {
        False: f"\t{now}\t{target.workspace.organization_id}\tf\t{NULL}\n",
        True: f"\t{now}\t{target.workspace.organization_id}\tt\t{now}\n",
    }
    lines = (
        f"{key}\t{person.line}\t{person.standing.created_at or now}{ends[person.standing.is_opted_out]}"
        for key, person in placed
    )
    copy_lines("contacts_contact", _CONTACT_COLUMNS, lines)
    return placed
