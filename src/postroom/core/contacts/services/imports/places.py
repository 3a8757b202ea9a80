"""Puts imported people where their file says: into the workspace, under tags, on lists.

Nobody who left is brought back: an import is no change of their mind; nor does it confirm anybody on a list whose
people confirm themselves.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Final

from django.db import connection

from postroom.core.contacts.errors import NameTaken
from postroom.core.contacts.rules.import_lines import StagedPerson
from postroom.core.contacts.services.imports.target import MergeTarget
from postroom.core.contacts.services.lists import create_list
from postroom.core.contacts.services.people import find_or_make_tags
from postroom.core.contacts.types import BULK_SOURCE, MemberStatus, SubscriptionStatus
from postroom.kit.arrays import array_text
from postroom.kit.copy import copy_cell, copy_lines

Placed = tuple[int, StagedPerson]
"""A person with their key."""

# The rows stay as they are until the batch is in: the database itself does not watch over the ends of join rows.
_LOCK_ROOM: Final = """
SELECT w.id FROM workspaces_workspace w JOIN workspaces_organization o ON o.id = w.organization_id
WHERE w.id = %s FOR KEY SHARE
"""
_LOCK_TAGS: Final = """
SELECT n, t.id FROM unnest(%s::text[]) n JOIN contacts_tag t ON lower(t.name) = lower(n) AND t.workspace_id = %s
ORDER BY t.id FOR KEY SHARE OF t
"""
_LOCK_LISTS: Final = """
SELECT l.id, l.is_double_opt_in, n FROM contacts_list l LEFT JOIN unnest(%s::text[]) n ON lower(l.name) = lower(n)
WHERE l.workspace_id = %s AND (n IS NOT NULL OR l.id = %s) ORDER BY l.id FOR KEY SHARE OF l
"""
_LINK: Final = """
INSERT INTO contacts_contactworkspace AS w (contact_id, workspace_id, status, created_at)
SELECT id, %s, status, %s FROM unnest(%s::bigint[], %s::text[]) AS x(id, status)
ON CONFLICT (workspace_id, contact_id) DO UPDATE SET status = excluded.status
WHERE w.status <> excluded.status AND (excluded.status = 'unsubscribed'
    OR (w.status = 'neutral' AND excluded.status = 'subscribed'))
RETURNING contact_id
"""
_TAG: Final = """
INSERT INTO contacts_contacttag (contact_id, tag_id) SELECT * FROM unnest(%s::bigint[], %s::bigint[])
ON CONFLICT (tag_id, contact_id) DO NOTHING RETURNING contact_id
"""
# A tag has no time of its own: that somebody got one shows on them, for the undo of the import they came with.
_TOUCH: Final = "UPDATE contacts_contact SET updated_at = %s WHERE id = ANY(%s::bigint[]) AND updated_at < %s"
# What the file says is no bulk change any more, whose undo would bring back whom it took off.
_LIST: Final = """
INSERT INTO contacts_listmember AS m
    (contact_id, list_id, status, reason, properties, source, created_at, updated_at)
SELECT x.*, '', '{}', %s, %s, %s FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS x
ON CONFLICT (list_id, contact_id)
DO UPDATE SET status = excluded.status, source = excluded.source, updated_at = excluded.updated_at
WHERE (m.status = 'pending' AND excluded.status = 'subscribed')
    OR (excluded.status = 'unsubscribed' AND (m.status <> 'unsubscribed' OR starts_with(m.source, %s)))
RETURNING contact_id, list_id, status
"""
_LINK_COLUMNS: Final = ("contact_id", "workspace_id", "status", "created_at")
_TAG_COLUMNS: Final = ("contact_id", "tag_id")
_MEMBER_COLUMNS: Final = (
    *("contact_id", "list_id", "status", "reason", "properties", "source", "created_at", "updated_at"),
)


@dataclass(frozen=True, slots=True)
class Departures:
    """Who has left by what the file says, as was not known before: the workspace's mail, or a list (person, list)."""

    from_workspace: list[int]
    from_lists: list[tuple[int, int]]


class Places:
    """The tags and lists that a batch names, found or made, and held until its transaction ends."""

    def __init__(self, people: Sequence[StagedPerson], target: MergeTarget) -> None:
        self._target = target
        self._tags = _hold_tags({name for person in people for name in person.tags}, target)
        self._list_ids, self._confirming = _hold_lists({n for person in people for n, _ in person.lists}, target)
        self.tag_ids = cache(self._tag_ids)
        self.memberships = cache(self._memberships)

    def fill_new(self, people: Sequence[Placed]) -> Departures:
        """Place people who are in no place yet."""
        workspace, now = self._target.workspace.pk, self._target.now.isoformat()
        copy_lines(
            "contacts_contactworkspace",
            _LINK_COLUMNS,
            (f"{key}\t{workspace}\t{_status(person)}\t{now}\n" for key, person in people),
        )
        tag_ends = cache(lambda tags: [f"\t{tag}\n" for tag in self.tag_ids(tags)])
        copy_lines(
            "contacts_contacttag",
            _TAG_COLUMNS,
            (f"{key}{end}" for key, person in people for end in tag_ends(person.tags)),
        )
        end = f"\t\t{{}}\t{copy_cell(self._target.source)}\t{now}\t{now}\n"
        list_ends = cache(lambda lists: [f"\t{list_id}\t{state}{end}" for list_id, state in self.memberships(lists)])
        copy_lines(
            "contacts_listmember",
            _MEMBER_COLUMNS,
            (f"{key}{end}" for key, person in people for end in list_ends(person.lists)),
        )
        return Departures(
            [key for key, person in people if person.standing.status == SubscriptionStatus.UNSUBSCRIBED],
            [
                (key, list_id)
                for key, person in people
                for list_id, state in self.memberships(person.lists)
                if state == MemberStatus.UNSUBSCRIBED
            ],
        )

    def fill_known(self, people: Sequence[Placed]) -> Departures:
        """Place people who may be in some of the places already."""
        left = Departures([], [])
        for group in by_person(people):
            gone = self._fill_known(group)
            left.from_workspace.extend(gone.from_workspace)
            left.from_lists.extend(gone.from_lists)
        return left

    def _fill_known(self, people: Sequence[Placed]) -> Departures:
        target, now = self._target, self._target.now
        keys = [key for key, _ in people]
        left = {key for key, person in people if person.standing.status == SubscriptionStatus.UNSUBSCRIBED}
        tagged = [(key, tag) for key, person in people for tag in self.tag_ids(person.tags)]
        members = [(key, *member) for key, person in people for member in self.memberships(person.lists)]
        with connection.cursor() as cursor:
            statuses = array_text(_status(person) for _, person in people)
            cursor.execute(_LINK, [target.workspace.pk, now, array_text(keys), statuses])
            gone = [key for (key,) in cursor.fetchall() if key in left]
            if tagged:
                cursor.execute(_TAG, [*map(array_text, zip(*tagged, strict=True))])
                cursor.execute(_TOUCH, [now, array_text({key for (key,) in cursor.fetchall()}), now])
            if not members:
                return Departures(gone, [])
            cursor.execute(_LIST, [target.source, now, now, *map(array_text, zip(*members, strict=True)), BULK_SOURCE])
            changed = cursor.fetchall()
        return Departures(gone, [(key, list_id) for key, list_id, state in changed if state == "unsubscribed"])

    def _tag_ids(self, names: tuple[str, ...]) -> list[int]:
        wanted = (*self._target.mapping.tags, *names)
        return [*dict.fromkeys(self._tags[name] for name in wanted if name in self._tags)]

    def _memberships(self, lists: tuple[tuple[str, str], ...]) -> list[tuple[int, str]]:
        """Return the keys of a person's lists with their state there; what the row says wins over the mapping."""
        mapping = self._target.mapping
        states = {mapping.list_id: ""} if mapping.list_id in self._confirming else {}
        states |= {self._list_ids[name]: state for name, state in lists if name in self._list_ids}
        return [
            (list_id, self._state(list_id, state or mapping.list_status))
            for list_id, state in states.items()
            if list_id is not None
        ]

    def _state(self, list_id: int, state: str) -> str:
        is_unconfirmed = state == MemberStatus.SUBSCRIBED and self._confirming[list_id]
        return str(MemberStatus.PENDING if is_unconfirmed else MemberStatus(state))


def by_person(people: Sequence[Placed]) -> Iterator[list[Placed]]:
    """Yield the people in groups that have nobody twice: two addresses may mean one person since a merge."""
    remaining = list(people)
    while remaining:
        group: dict[int, StagedPerson] = {}
        later = []
        for key, person in remaining:
            if key in group:
                later.append((key, person))
            else:
                group[key] = person
        yield list(group.items())
        remaining = later


def _status(person: StagedPerson) -> str:
    return person.standing.status or "neutral"


def _hold_tags(names: set[str], target: MergeTarget) -> dict[str, int]:
    wanted = [*{*target.mapping.tags, *names}]
    find_or_make_tags(workspace=target.workspace, names=wanted, now=target.now)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_ROOM, [target.workspace.pk])
        cursor.execute(_LOCK_TAGS, [wanted, target.workspace.pk])
        return dict(cursor.fetchall())


def _hold_lists(names: set[str], target: MergeTarget) -> tuple[dict[str, int], dict[int, bool]]:
    """Return the keys of lists by name, and of each list whether its people confirm themselves."""
    found = _lock_lists(names, target)
    missing = {name.lower(): name for name in sorted(names - {name for _, _, name in found})}
    if missing:
        for name in missing.values():
            _make_list(name, target)
        found = _lock_lists(names, target)
    return {name: key for key, _, name in found if name}, {key: confirms for key, confirms, _ in found}


def _lock_lists(names: set[str], target: MergeTarget) -> list[tuple[int, bool, str | None]]:
    if not names and target.mapping.list_id is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_LISTS, [[*names], target.workspace.pk, target.mapping.list_id])
        return [(key, confirms, name) for key, confirms, name in cursor.fetchall()]


def _make_list(name: str, target: MergeTarget) -> None:
    with suppress(NameTaken):  # somebody was quicker: theirs will do
        create_list(workspace=target.workspace, name=name, actor=target.actor, now=target.now)
