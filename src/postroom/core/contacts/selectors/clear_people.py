"""Finds those whom every class of mail may go to, for sure: most people of most campaigns, in one cheap statement.

It is narrower than the may-we-mail rule, never wider: whoever is missing here is judged by the rule itself.
"""

from collections.abc import Sequence
from typing import Any, Final

from django.db import connection

from postroom.core.contacts.selectors.people import MEMBER_COLUMN, PROFILE_COLUMNS, read_profiles
from postroom.core.contacts.types import Fence
from postroom.core.workspaces.models import Workspace
from postroom.kit.arrays import array_text, text_array_text
from postroom.kit.types import JSONObject

# Sub-selects with LIMIT stay look-ups by key for each person, whatever the planner believes of tables that grew since
# the last ANALYZE. Any suppression of the address is reason enough to ask the rule.
_PEOPLE: Final = """
FROM unnest(%(ids)s::bigint[], %(addresses)s::text[]) AS i(id, address)
CROSS JOIN LATERAL (SELECT * FROM contacts_contact c WHERE c.id = i.id OFFSET 0) c
"""
_CLEAR: Final = """
WHERE c.email = i.address AND c.organization_id = %(organization)s AND c.erased_at IS NULL
    AND NOT c.is_globally_opted_out
    AND (SELECT w.status <> 'unsubscribed' FROM contacts_contactworkspace w
         WHERE w.contact_id = c.id AND w.workspace_id = %(workspace)s LIMIT 1)
    AND (SELECT s.id FROM contacts_suppression s WHERE s.address_hash = c.address_hash LIMIT 1) IS NULL
"""
_MEMBERS: Final = """
CROSS JOIN LATERAL (
    SELECT m.properties FROM contacts_listmember m JOIN contacts_list l ON l.id = m.list_id
    WHERE m.list_id = ANY(%(lists)s::bigint[]) AND m.contact_id = c.id AND m.status = 'subscribed'
        AND l.workspace_id = %(workspace)s LIMIT 1
) m
"""
_CONSENTING: Final = """
    AND (SELECT k.id FROM contacts_consent k JOIN contacts_category g ON g.id = k.category_id
         WHERE k.category_id = %(category)s AND k.contact_id = c.id AND k.state = 'granted'
             AND g.workspace_id = %(workspace)s LIMIT 1) IS NOT NULL
"""


def find_clear_people(*, workspace: Workspace, people: Sequence[tuple[int, str]], fence: Fence) -> set[int]:
    """Return which of the (contact, address) may be mailed beyond doubt, whatever the class of the mail."""
    return {contact_id for (contact_id,) in _fetch("SELECT c.id", workspace, people, fence)}


def load_clear_profiles(
    *, workspace: Workspace, people: Sequence[tuple[int, str]], fence: Fence
) -> dict[int, JSONObject]:
    """Return the profiles (see ``load_profiles``) of those whom ``find_clear_people`` finds."""
    columns = f"{PROFILE_COLUMNS}, {MEMBER_COLUMN}" if fence.list_ids else PROFILE_COLUMNS
    return read_profiles(_fetch(f"SELECT {columns}", workspace, people, fence), has_members=bool(fence.list_ids))


def _fetch(head: str, workspace: Workspace, people: Sequence[tuple[int, str]], fence: Fence) -> list[tuple[Any, ...]]:
    statement = head + _PEOPLE + (_MEMBERS if fence.list_ids else "") + _CLEAR
    statement += _CONSENTING if fence.category_id is not None else ""
    parameters: dict[str, Any] = {
        "ids": array_text(contact_id for contact_id, _ in people),
        "addresses": text_array_text(address for _, address in people),
        "workspace": workspace.pk,
        "organization": workspace.organization_id,
        "lists": list(fence.list_ids),
        "category": fence.category_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
