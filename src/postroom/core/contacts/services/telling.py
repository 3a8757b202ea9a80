"""Telling webhooks what becomes of people: one statement for an act, however many it is about.

What is done to a person is told of the person (``contact``) and of each list of the workspace they are on (``member``).
An import tells whom it brings, not whom it changes.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from postroom.core.contacts.models import ListMember
from postroom.core.contacts.types import MemberStatus
from postroom.core.webhooks import selectors as listeners
from postroom.core.webhooks import services as webhooks
from postroom.core.webhooks.types import Occasion
from postroom.kit.arrays import array_text

CREATED: Final = "created"
UPDATED: Final = "updated"
DELETED: Final = "deleted"

_PERSON: Final = """jsonb_build_object('contact', c.uid, 'email', coalesce(c.email, ''), 'first_name', c.first_name,
    'last_name', c.last_name, 'created_at', c.created_at, 'updated_at', c.updated_at)"""

_PEOPLE: Final = f"""
SELECT w.workspace_id, 'contact.' || %(telling_what)s AS type, '' AS mail_domain, c.id AS contact_id,
    {_PERSON} || jsonb_build_object('custom', c.custom) AS data
FROM contacts_contact c JOIN contacts_contactworkspace w ON w.contact_id = c.id AND w.workspace_id = %(telling_room)s
WHERE c.id = ANY(%(telling_people)s::bigint[]) AND c.erased_at IS NULL
"""  # noqa: S608 - made of constants

_MEMBERS: Final = f"""
SELECT l.workspace_id, 'member.' || %(telling_what)s AS type, '' AS mail_domain, c.id AS contact_id,
    {_PERSON} || jsonb_build_object('list', l.uid, 'is_subscribed', m.status = 'subscribed', 'status', m.status,
        'properties', m.properties, 'created_at', m.created_at, 'updated_at', m.updated_at) AS data
FROM contacts_listmember m
JOIN contacts_list l ON l.id = m.list_id AND l.workspace_id = %(telling_room)s
JOIN contacts_contact c ON c.id = m.contact_id
WHERE m.contact_id = ANY(%(telling_people)s::bigint[]) AND c.erased_at IS NULL
    AND (%(telling_list)s::bigint IS NULL OR m.list_id = %(telling_list)s)
"""  # noqa: S608 - made of constants


def tell_people(
    *, workspace_id: int, contact_ids: Collection[int], what: str, now: datetime, with_members: bool = True
) -> None:
    """Tell of people of a workspace as they are now; of those who go, before they have gone."""
    if contact_ids and listeners.is_heard(f"contact.{what}", workspace_ids=(workspace_id,)):
        webhooks.tell_rows(rows=_PEOPLE, parameters=_parameters(workspace_id, contact_ids, what), now=now)
    if with_members:
        tell_members(workspace_id=workspace_id, contact_ids=contact_ids, what=what, now=now)


def tell_members(
    *, workspace_id: int, contact_ids: Collection[int], what: str, now: datetime, list_id: int | None = None
) -> None:
    """Tell of people on a list, or on all lists of the workspace that they are on, as they stand now."""
    if contact_ids and listeners.is_heard(f"member.{what}", workspace_ids=(workspace_id,)):
        parameters = _parameters(workspace_id, contact_ids, what) | {"telling_list": list_id}
        webhooks.tell_rows(rows=_MEMBERS, parameters=parameters, now=now)


def tell_gone_members(*, workspace_id: int, members: Sequence[ListMember], now: datetime) -> None:
    """Tell that people are on a list no more; their rows, with list and contact, are as they were."""
    if members and listeners.is_heard("member.deleted", workspace_ids=(workspace_id,)):
        occasions = [Occasion("member.deleted", _facts(one), contact_id=one.contact_id) for one in members]
        webhooks.tell(workspace_id=workspace_id, occasions=occasions, now=now)


def _facts(member: ListMember) -> dict[str, Any]:
    person = member.contact
    return {
        "contact": str(person.uid),
        "email": person.email or "",
        "first_name": person.first_name,
        "last_name": person.last_name,
        "list": str(member.list.uid),
        "is_subscribed": member.status == MemberStatus.SUBSCRIBED,
        "status": member.status,
        "properties": member.properties,
        "created_at": member.created_at.isoformat(),
        "updated_at": member.updated_at.isoformat(),
    }


def _parameters(workspace_id: int, contact_ids: Collection[int], what: str) -> dict[str, Any]:
    return {"telling_room": workspace_id, "telling_people": array_text(contact_ids), "telling_what": what}
