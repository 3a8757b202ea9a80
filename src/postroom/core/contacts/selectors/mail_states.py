"""Reads all that the may-we-mail rule asks, for many people in one statement."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import connection

from postroom.core.contacts.types import ConsentState, Fence, MailState, MemberStatus, SuppressionReason
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Room
from postroom.kit import crypto
from postroom.kit.arrays import array_text, text_array_text
from postroom.kit.prepared import fetch_prepared

# The strongest suppression, and the best standing on any of the lists. Lists and categories of other workspaces count
# as ones the person is not on and said nothing about.
_STATE: Final = """
LEFT JOIN LATERAL (
    SELECT s.reason FROM contacts_suppression s
    WHERE s.address_hash = p.address_hash
      AND (s.scope = 'platform'
           OR (s.scope = 'organization' AND s.organization_id = p.organization_id)
           OR (s.scope = 'workspace' AND s.workspace_id = p.workspace_id))
    ORDER BY array_position(
        ARRAY['erased', 'complaint', 'banned', 'hard_bounce', 'manual', 'unsubscribed'], s.reason::text)
    LIMIT 1
) suppression ON true
LEFT JOIN LATERAL (
    SELECT m.status FROM contacts_listmember m JOIN contacts_list l ON l.id = m.list_id
    WHERE m.contact_id = p.id AND m.list_id = ANY(%(lists)s::bigint[]) AND l.workspace_id = p.workspace_id
    ORDER BY array_position(ARRAY['subscribed', 'pending', 'unsubscribed'], m.status::text)
    LIMIT 1
) membership ON true
LEFT JOIN LATERAL (
    SELECT k.state FROM contacts_consent k JOIN contacts_category g ON g.id = k.category_id
    WHERE k.contact_id = p.id AND k.category_id = %(category)s::bigint AND g.workspace_id = p.workspace_id
    LIMIT 1
) consent ON true
"""
_COLUMNS: Final = (
    "SELECT p.address, p.id, p.is_erased, suppression.reason, p.is_out_everywhere, p.is_out_here,"
    " membership.status, consent.state, p.workspace_id, p.organization_id FROM "
)
# One look-up by key per person, whatever the planner believes of an organization that grew since the last ANALYZE:
# hence OFFSET 0 (nothing is pulled out of the look-up) and IS TRUE (no other index fits); LIMIT does the same above.
_BY_CONTACT: Final = f"""
{_COLUMNS} unnest(%(ids)s::bigint[]) AS i(id) CROSS JOIN LATERAL (
    SELECT c.id, COALESCE(c.email, '') AS address, c.address_hash, c.organization_id, w.workspace_id,
           c.erased_at IS NOT NULL AS is_erased, c.is_globally_opted_out AS is_out_everywhere,
           w.status = 'unsubscribed' AS is_out_here
    FROM contacts_contact c JOIN contacts_contactworkspace w ON w.contact_id = c.id
    WHERE c.id = i.id AND (w.workspace_id = %(workspace)s) IS TRUE AND (c.organization_id = %(organization)s) IS TRUE
    OFFSET 0
) p {_STATE}
"""  # noqa: S608 - made of the constants above
_BY_ADDRESS: Final = f"""
{_COLUMNS} (
    SELECT c.id, a.address, a.address_hash, a.organization_id, a.workspace_id, c.erased_at IS NOT NULL AS is_erased,
           COALESCE(c.is_globally_opted_out, false) AS is_out_everywhere,
           COALESCE(c.status = 'unsubscribed', false) AS is_out_here
    FROM unnest(%(workspaces)s::bigint[], %(organizations)s::bigint[], %(addresses)s::text[], %(hashes)s::bytea[])
        AS a(workspace_id, organization_id, address, address_hash)
    LEFT JOIN LATERAL (
        SELECT c.id, c.erased_at, c.is_globally_opted_out, w.status FROM (
            SELECT * FROM contacts_contact WHERE organization_id = a.organization_id AND email = a.address
            UNION ALL
            SELECT o.* FROM contacts_contactalias k JOIN contacts_contact o ON o.id = k.contact_id
            WHERE k.organization_id = a.organization_id AND k.email = a.address
        ) c
        LEFT JOIN contacts_contactworkspace w ON w.contact_id = c.id AND (w.workspace_id = a.workspace_id) IS TRUE
        LIMIT 1
    ) c ON true
) p {_STATE}
"""  # noqa: S608 - made of the constants above


def load_mail_states(*, workspace: Workspace, contact_ids: Iterable[int], fence: Fence) -> dict[int, MailState]:
    """Return each person's state by key, in one statement; people the workspace does not see are absent."""
    rows = _fetch(_BY_CONTACT, {**_fence_params(workspace, fence), "ids": list(contact_ids)})
    return {row[1]: _state(row) for row in rows}


def load_address_states(*, workspace: Workspace, addresses: Iterable[str], fence: Fence) -> dict[str, MailState]:
    """Return the state of each normalised address, in one statement, with the contact that has it if there is one."""
    places = [(Room(workspace.pk, workspace.organization_id), address) for address in dict.fromkeys(addresses)]
    return {address: state for (_, address), state in load_states(places=places, fence=fence).items()}


def load_states(*, places: Sequence[tuple[Room, str]], fence: Fence) -> dict[tuple[Room, str], MailState]:
    """Return the same of addresses that several workspaces write to; each pair of both is asked for once."""
    params = {
        "lists": array_text(fence.list_ids),
        "category": fence.category_id,
        "workspaces": array_text(room.workspace_id for room, _ in places),
        "organizations": array_text(room.organization_id for room, _ in places),
        "addresses": text_array_text(address for _, address in places),
        "hashes": [crypto.address_hash(address) for _, address in places],
    }
    rows = fetch_prepared(_BY_ADDRESS, params)
    return {(Room(row[8], row[9]), row[0]): _state(row) for row in rows}


def _fence_params(workspace: Workspace, fence: Fence) -> dict[str, Any]:
    return {
        "workspace": workspace.pk,
        "organization": workspace.organization_id,
        "lists": list(fence.list_ids),
        "category": fence.category_id,
    }


def _fetch(statement: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return list(cursor.fetchall())


def _state(row: tuple[Any, ...]) -> MailState:
    address, contact_id, is_erased, reason, is_out_everywhere, is_out_here, status, consent, *_ = row
    return MailState(
        address=address,
        contact_id=contact_id,
        is_erased=is_erased,
        suppression=SuppressionReason(reason) if reason else None,
        is_globally_opted_out=is_out_everywhere,
        is_workspace_unsubscribed=is_out_here,
        list_status=MemberStatus(status) if status else None,
        consent=ConsentState(consent) if consent else None,
    )
