"""Reads of what the names in a filter mean: the keys of its tags, lists, companies, categories and campaigns."""

from collections import defaultdict
from datetime import datetime
from typing import Final

from django.db import connection

from postroom.core.contacts import ports
from postroom.core.contacts.rules import Filter, Names, Room, names_in
from postroom.core.contacts.rules.filter_language import Kind
from postroom.core.workspaces.models import Workspace

# Names are compared in lower case by the database on both sides, whatever its rules for that are.
_QUERIES: Final = {
    Kind.TAG: "SELECT n, t.id FROM unnest(%s::text[]) n JOIN contacts_tag t ON lower(t.name) = lower(n)"
    " WHERE t.workspace_id = %s",
    Kind.LIST: "SELECT n, l.id FROM unnest(%s::text[]) n JOIN contacts_list l"
    " ON lower(n) IN (lower(l.name), l.uid::text) WHERE l.workspace_id = %s",
    Kind.ACCOUNT: "SELECT n, a.id FROM unnest(%s::text[]) n JOIN contacts_account a"
    " ON lower(n) IN (lower(a.name), a.uid::text) WHERE a.workspace_id = %s",
    Kind.CONSENT: "SELECT n, g.id FROM unnest(%s::text[]) n JOIN contacts_category g ON g.slug = n"
    " WHERE g.workspace_id = %s",
}


def load_room(*, workspace: Workspace, filter_: Filter, now: datetime) -> Room:
    """Return what a filter speaks of at a time: one statement for each kind of thing it names."""
    wanted: dict[Kind, set[str]] = defaultdict(set)
    for kind, name in names_in(filter_):
        wanted[kind].add(name)
    names: Names = {kind: _load(workspace, kind, sorted(found)) for kind, found in wanted.items()}
    return Room(workspace.pk, workspace.organization_id, now, workspace.timezone, names)


def find_unknown_campaigns(*, workspace: Workspace, filter_: Filter) -> list[str]:
    """Return the uids in a filter that are no campaign of the workspace."""
    named = sorted({name for kind, name in names_in(filter_) if kind is Kind.DEED})
    known = _load(workspace, Kind.DEED, named) if named else {}
    return [name for name in named if name not in known]


def _load(workspace: Workspace, kind: Kind, names: list[str]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    with connection.cursor() as cursor:
        if kind is Kind.DEED:
            query = f"SELECT k.uid::text, k.batch_id FROM ({ports.campaign_query()}) k"  # noqa: S608 - a constant
            cursor.execute(query, [workspace.pk, names])
        else:
            cursor.execute(_QUERIES[kind], [names, workspace.pk])
        for name, key in cursor.fetchall():
            found[name] = (*found.get(name, ()), key) if key is not None else ()
    return found
