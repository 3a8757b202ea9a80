"""Everything an organization holds on one person, from every workspace and every app: their own copy of it."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.models import Contact
from postroom.core.workspaces.models import Workspace
from postroom.kit.types import JSONObject, JSONValue

_JSONB: Final = 3802
"""PostgreSQL's number of the type jsonb, which Django hands over as text."""

_OF_ROOMS: Final = ["workspaces", "lists", "consents", "tags", "accounts"]
"""What a snapshot of a former record says of workspaces, whichever they are."""

# Each section is one statement over all keys that the person ever went by; its columns are the words of the file.
_SECTIONS: Final = {
    "workspaces": """
        SELECT w.name AS workspace, l.status, l.created_at AS since
        FROM contacts_contactworkspace l JOIN workspaces_workspace w ON w.id = l.workspace_id
        WHERE l.contact_id = ANY(%(people)s) AND l.workspace_id = ANY(%(rooms)s) ORDER BY l.id
    """,
    "tags": """
        SELECT w.name AS workspace, t.name AS tag FROM contacts_contacttag x JOIN contacts_tag t ON t.id = x.tag_id
        JOIN workspaces_workspace w ON w.id = t.workspace_id
        WHERE x.contact_id = ANY(%(people)s) AND w.id = ANY(%(rooms)s) ORDER BY 1, 2
    """,
    "lists": """
        SELECT w.name AS workspace, l.name AS list, m.status, m.reason, m.source, m.properties, m.created_at AS since,
            m.confirmed_at
        FROM contacts_listmember m JOIN contacts_list l ON l.id = m.list_id
        JOIN workspaces_workspace w ON w.id = l.workspace_id
        WHERE m.contact_id = ANY(%(people)s) AND w.id = ANY(%(rooms)s) ORDER BY m.id
    """,
    "consents": """
        SELECT w.name AS workspace, k.name AS category, c.state, c.updated_at AS since
        FROM contacts_consent c JOIN contacts_category k ON k.id = c.category_id
        JOIN workspaces_workspace w ON w.id = k.workspace_id
        WHERE c.contact_id = ANY(%(people)s) AND w.id = ANY(%(rooms)s) ORDER BY c.id
    """,
    "consent_history": """
        SELECT c.at, c.state, k.name AS category, l.name AS list, c.door, c.source, c.proof
        FROM contacts_consentchange c LEFT JOIN contacts_category k ON k.id = c.category_id
        LEFT JOIN contacts_list l ON l.id = c.list_id WHERE c.contact_id = ANY(%(people)s)
            AND (coalesce(c.workspace_id, k.workspace_id, l.workspace_id) = ANY(%(rooms)s)
                OR coalesce(c.workspace_id, k.workspace_id, l.workspace_id) IS NULL)
        ORDER BY c.at, c.id
    """,
    "suppressions": """
        SELECT s.scope, s.reason, s.detail, s.created_at AS since FROM contacts_suppression s
        WHERE s.address_hash = ANY(%(hashes)s) AND s.organization_id = %(organization)s
            AND (s.workspace_id IS NULL OR s.workspace_id = ANY(%(rooms)s)) ORDER BY s.id
    """,
    "companies": """
        SELECT w.name AS workspace, a.name AS company, x.role, x.created_at AS since
        FROM contacts_accountcontact x JOIN contacts_account a ON a.id = x.account_id
        JOIN workspaces_workspace w ON w.id = a.workspace_id
        WHERE x.contact_id = ANY(%(people)s) AND w.id = ANY(%(rooms)s) ORDER BY x.id
    """,
    "notes_and_meetings": """
        SELECT w.name AS workspace, i.occurred_at AS at, i.type, i.subject, i.body, i.metadata
        FROM contacts_interaction i JOIN workspaces_workspace w ON w.id = i.workspace_id
        WHERE i.contact_id = ANY(%(people)s) AND w.id = ANY(%(rooms)s)
            AND (i.is_team_visible OR i.created_by_id = %(viewer)s OR %(viewer)s::bigint IS NULL)
        ORDER BY i.occurred_at, i.id
    """,
    "former_records": """
        SELECT merged_at, email, snapshot - %(elsewhere)s::text[] AS snapshot FROM contacts_contactalias
        WHERE contact_id = ANY(%(people)s) ORDER BY id
    """,
    "messages": """
        SELECT w.name AS workspace, m.created_at, m.sent_at, c.subject, m.message_class AS kind, m.status, m."to",
            m.headers, m.slots AS filled_in, m.bounced_at, m.complained_at, m.unsubscribed_at, m.opened_at,
            m.clicked_at, m.replied_at
        FROM mail_message m JOIN mail_content c ON c.id = m.content_id
        JOIN workspaces_workspace w ON w.id = m.workspace_id
        WHERE m.contact_id = ANY(%(people)s) AND w.id = ANY(%(rooms)s) ORDER BY m.created_at, m.id
    """,
    "opens_clicks_and_answers": """
        SELECT e.at, e.type, e.is_bot AS by_a_machine, t.url AS link, e.agent AS program, e.ip AS shortened_address
        FROM mail_deliveryevent e LEFT JOIN mail_message m ON m.id = e.message_id
        LEFT JOIN mail_trackedlink t ON t.content_id = m.content_id AND t.index = e.link_index
        WHERE e.contact_id = ANY(%(people)s) AND e.workspace_id = ANY(%(rooms)s) ORDER BY e.at
    """,
    "mail_received": """
        SELECT i.received_at AS at, i.kind, i.mail_from AS sender, i.subject FROM mail_inboundmessage i
        WHERE i.contact_id = ANY(%(people)s) AND i.workspace_id = ANY(%(rooms)s) ORDER BY i.id
    """,
    "what_happened": """
        SELECT e.at, e.name AS event FROM events_domainevent e
        WHERE e.contact_id = ANY(%(people)s) AND e.workspace_id = ANY(%(rooms)s) ORDER BY e.at, e.id
    """,
}


def collect_personal_data(
    *, contact: Contact, within: Workspace | None = None, viewer_id: int | None = None
) -> JSONObject:
    """Return everything held on a person, ready for ``rules.pack_personal_data``; nothing about anybody else.

    For a colleague who sees but one workspace of the organization, ``within``, no other tells what it holds; private
    notes are given to the person, and else to the user ``viewer_id`` alone, who wrote them.
    """
    rooms = [within] if within else Workspace.objects.filter(organization_id=contact.organization_id)
    values = {
        "rooms": [room.pk for room in rooms],
        "viewer": viewer_id,
        "elsewhere": _OF_ROOMS if within else [],
        "people": contacts.list_person_ids(contact=contact),
        "hashes": [bytes(contact.address_hash)] if contact.address_hash else [],
        "organization": contact.organization_id,
    }
    return {"person": _person(contact), **{name: _rows(query, values) for name, query in _SECTIONS.items()}}


def _person(contact: Contact) -> JSONObject:
    return {
        "email": contact.email,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "company": contact.company,
        "phone": contact.phone,
        "language": contact.language,
        "timezone": contact.timezone,
        "fields": contact.custom,
        "opted_out_of_everything_at": _plain(contact.globally_opted_out_at),
        "known_since": _plain(contact.created_at),
        "last_changed": _plain(contact.updated_at),
    }


def _rows(query: str, values: Mapping[str, Any]) -> list[JSONValue]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        names = [column.name for column in cursor.description]
        documents = {column.name for column in cursor.description if column.type_code == _JSONB}
        return [_row(names, row, documents) for row in cursor.fetchall()]


def _row(names: Sequence[str], row: Sequence[Any], documents: Collection[str]) -> JSONObject:
    """Return one entry; what is empty is left out."""
    said = ((name, value) for name, value in zip(names, row, strict=True) if value is not None)
    plain = {name: json.loads(value) if name in documents else _plain(value) for name, value in said}
    return {name: value for name, value in plain.items() if value not in ("", [], {})}


def _plain(value: datetime | str | bool | None) -> JSONValue:
    return value.isoformat() if isinstance(value, datetime) else value
