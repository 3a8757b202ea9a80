"""Reads people for an export: a chunk at a time, everything about them in six statements whatever its size."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from django.db import connection
from django.db.models import F, Q

from postroom.core.contacts.models import Account, Category, Field, List, Tag
from postroom.core.contacts.rules.cell_lists import join_cells, join_states
from postroom.core.contacts.rules.export_headers import CORE_HEADERS, STATE_HEADERS, custom_header
from postroom.core.contacts.rules.export_rows import Cell, value_cell
from postroom.core.contacts.rules.formulas import neutralise
from postroom.core.contacts.selectors.fields import list_fields
from postroom.core.contacts.types import FieldType, SuppressionReason, SuppressionScope
from postroom.core.workspaces.models import Workspace
from postroom.kit.arrays import array_text

_MAX_UNDEFINED: Final = 200
_KNOWN_MARKS: Final = 20_000

_PEOPLE: Final = """
SELECT c.id, c.address_hash, c.custom::text, w.status, c.is_globally_opted_out, c.created_at,
       coalesce(c.email, ''), c.first_name, c.last_name, c.company, c.phone, c.language, c.timezone
FROM contacts_contact c JOIN contacts_contactworkspace w ON w.contact_id = c.id AND w.workspace_id = %s
WHERE c.id = ANY(%s::bigint[]) AND (c.organization_id = %s) IS TRUE AND c.erased_at IS NULL ORDER BY c.id
"""
_MARKS: Final = {
    "tags": "SELECT contact_id, string_agg(tag_id::text, ' ' ORDER BY tag_id) FROM contacts_contacttag",
    "lists": "SELECT contact_id, string_agg(list_id || '=' || status, ' ' ORDER BY list_id) FROM contacts_listmember",
    "consents": (
        "SELECT contact_id, string_agg(category_id || '=' || state, ' ' ORDER BY category_id) FROM contacts_consent"
    ),
    "accounts": "SELECT contact_id, string_agg(account_id::text, ' ' ORDER BY account_id) FROM contacts_accountcontact",
}
# What reaches furthest first. The platform's suppressions are nobody else's business.
_SUPPRESSIONS: Final = """
SELECT address_hash, scope, reason, is_opted_out, detail FROM contacts_suppression
WHERE address_hash = ANY(%s) AND (scope = 'workspace' AND workspace_id = %s
    OR scope = 'organization' AND organization_id = %s)
ORDER BY scope <> 'organization'
"""
_UNDEFINED: Final = """
SELECT key, array_agg(DISTINCT jsonb_typeof(value)) FROM contacts_contactworkspace w
JOIN contacts_contact c ON c.id = w.contact_id CROSS JOIN LATERAL jsonb_each(c.custom - %s::text[])
WHERE w.workspace_id = %s AND c.erased_at IS NULL GROUP BY key ORDER BY key LIMIT %s
"""
_JSON_TYPES: Final = {
    "number": FieldType.NUMBER,
    "boolean": FieldType.BOOLEAN,
    "array": FieldType.MULTISELECT,
}


class PeopleReader:
    """Reads the people of one workspace as rows under ``headers``; its names are those of the time it was made."""

    def __init__(self, *, workspace: Workspace) -> None:
        self._workspace = workspace
        columns = _custom_columns(workspace)
        self._keys = tuple(columns)
        self.headers = (
            *CORE_HEADERS,
            *(neutralise(custom_header(key, type_)) for key, type_ in columns.items()),
            *STATE_HEADERS,
        )
        self._renderers = _renderers(workspace)

    def read(self, contact_ids: Sequence[int]) -> Iterator[list[Cell]]:
        """Yield a row for each of these people who is still in the workspace, in the order of their keys."""
        ids = array_text(contact_ids)
        with connection.cursor() as cursor:
            cursor.execute(_PEOPLE, [self._workspace.pk, ids, self._workspace.organization_id])
            people = cursor.fetchall()
        marks = {name: self._marks(name, ids) for name in _MARKS}
        barred = self._suppressions([row[1] for row in people if row[1] is not None])
        for id_, address_hash, custom, status, is_out, created_at, *lines in people:
            values = json.loads(custom)
            reason, detail = barred.get(bytes(address_hash or b""), ("", ""))
            yield [
                *map(neutralise, lines),
                *(value_cell(values.get(key)) for key in self._keys),
                marks["tags"].get(id_, ""),
                marks["lists"].get(id_, ""),
                marks["consents"].get(id_, ""),
                status,
                "true" if is_out else "false",
                reason,
                neutralise(detail),
                marks["accounts"].get(id_, ""),
                created_at.isoformat(),
            ]

    def _marks(self, name: str, ids: str) -> dict[int, str]:
        render = self._renderers[name]
        with connection.cursor() as cursor:
            cursor.execute(f"{_MARKS[name]} WHERE contact_id = ANY(%s::bigint[]) GROUP BY contact_id", [ids])
            return {contact_id: render(marks) for contact_id, marks in cursor.fetchall()}

    def _suppressions(self, hashes: list[bytes]) -> dict[bytes, tuple[str, str]]:
        """Return what each address is suppressed for, an opt-out behind a graver reason too, and the first detail."""
        found: dict[bytes, tuple[str, str]] = {}
        with connection.cursor() as cursor:
            cursor.execute(_SUPPRESSIONS, [hashes, self._workspace.pk, self._workspace.organization_id])
            for address_hash, scope, reason, is_opted_out, detail in cursor.fetchall():
                reasons = dict.fromkeys((reason, SuppressionReason.UNSUBSCRIBED.value) if is_opted_out else (reason,))
                before, first = found.get(key := bytes(address_hash), ("", detail))
                said = (before, *(_shown(scope, one) for one in reasons))
                found[key] = (";".join(filter(None, said)), first)
        return found


def _shown(scope: str, reason: str) -> str:
    return reason if scope == SuppressionScope.WORKSPACE else f"{scope}:{reason}"


def _custom_columns(workspace: Workspace) -> dict[str, FieldType]:
    """Return the workspace's fields by key, then keys that people have values for and nobody has defined."""
    columns = {field.key: FieldType(field.type) for field in list_fields(workspace=workspace)}
    defined = Field.objects.filter(organization_id=workspace.organization_id).values_list("key", flat=True)
    with connection.cursor() as cursor:
        cursor.execute(_UNDEFINED, [[*defined], workspace.pk, _MAX_UNDEFINED])
        for key, types in cursor.fetchall():
            present = set(types) - {"null"}
            columns[key] = _JSON_TYPES.get(present.pop(), FieldType.TEXT) if len(present) == 1 else FieldType.TEXT
    return columns


def _renderers(workspace: Workspace) -> dict[str, Callable[[str], str]]:
    """Return how each kind of mark is written; what is not the workspace's is left out."""
    own = Q(workspace=workspace)
    tags = dict(Tag.objects.filter(own).values_list("pk", "name"))
    accounts = dict(Account.objects.filter(own).values_list("pk", "name"))
    lists = dict(List.objects.filter(own).values_list("pk", "name"))
    categories = dict(Category.objects.filter(own).values_list("pk", F("slug")))
    return {
        "tags": _names_renderer(tags),
        "lists": _states_renderer(lists),
        "consents": _states_renderer(categories),
        "accounts": _names_renderer(accounts),
    }


def _names_renderer(names: dict[int, str]) -> Callable[[str], str]:
    @lru_cache(_KNOWN_MARKS)  # the same tags come together again and again
    def render(marks: str) -> str:
        return neutralise(join_cells(names[key] for mark in marks.split() if (key := int(mark)) in names))

    return render


def _states_renderer(names: dict[int, str]) -> Callable[[str], str]:
    @lru_cache(_KNOWN_MARKS)
    def render(marks: str) -> str:
        pairs = (mark.split("=") for mark in marks.split())
        return neutralise(join_states((names[int(key)], state) for key, state in pairs if int(key) in names))

    return render
