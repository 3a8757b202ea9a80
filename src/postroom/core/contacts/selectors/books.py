"""Reads of lists as programs keep them: contact books, and the people in them."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Count

from postroom.core.contacts.errors import BadAddress, NoSuchContact, NoSuchList
from postroom.core.contacts.models import Contact, List, ListMember
from postroom.core.contacts.rules.addresses import normalise_email
from postroom.core.contacts.rules.consent import may_we_mail
from postroom.core.contacts.selectors.aliases import find_kept_addresses
from postroom.core.contacts.selectors.lists import get_list_by_uid
from postroom.core.contacts.selectors.mail_states import load_mail_states
from postroom.core.contacts.selectors.people import get_contact, visible_people
from postroom.core.contacts.types import BookContact, Fence, MemberStatus, Sql
from postroom.core.workspaces.models import Workspace
from postroom.kit.paging import Page, PageRequest

MAX_BOOK_PAGE: Final = 5_000

_HOLD: Final = "SELECT id FROM contacts_list WHERE workspace_id = %s AND uid = %s FOR SHARE"
_CAMPAIGN: Final = "marketing"
# One look-up by key per person, whatever the planner believes of tables that grew since the last ANALYZE.
_PEOPLE: Final = """
SELECT c.id, c.uid, coalesce(c.email, ''), c.first_name, c.last_name, m.status, m.properties::text,
    extract(epoch FROM m.created_at)::float8, extract(epoch FROM greatest(m.updated_at, c.updated_at))::float8
FROM (SELECT * FROM contacts_listmember WHERE list_id = %s {page}) m
CROSS JOIN LATERAL (SELECT * FROM contacts_contact c WHERE c.id = m.contact_id OFFSET 0) c
WHERE c.erased_at IS NULL AND EXISTS (
    SELECT 1 FROM contacts_contactworkspace w WHERE w.contact_id = c.id AND w.workspace_id = %s OFFSET 0)
ORDER BY m.contact_id
"""


def hold_book(*, workspace: Workspace, uid: UUID) -> List:
    """Return a list, kept from being deleted or renamed until the transaction ends. Raises NoSuchList."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [workspace.pk, uid])
        found = cursor.fetchone()
    if found is None:
        raise NoSuchList(uid=uid)
    return get_list_by_uid(workspace=workspace, uid=uid)


def list_books(*, workspace: Workspace) -> list[tuple[List, int]]:
    """Return the workspace's lists, the oldest first, each with how many people are on it, in whatever state."""
    lists = list(List.objects.filter(workspace=workspace).order_by("pk"))
    counts = _count([one.pk for one in lists])
    return [(one, counts.get(one.pk, 0)) for one in lists]


def count_book(*, list_: List) -> int:
    """Return how many people are on a list, in whatever state."""
    return _count([list_.pk]).get(list_.pk, 0)


def get_book_contact(*, workspace: Workspace, list_uid: UUID, uid: UUID) -> BookContact:
    """Return a person in a contact book. Raises NoSuchList or NoSuchContact."""
    list_ = get_list_by_uid(workspace=workspace, uid=list_uid)
    contact = get_contact(workspace=workspace, uid=uid)
    found = _show(workspace, list_, Sql("AND contact_id = %s", (contact.pk,)))
    if not found:
        raise NoSuchContact(uid=uid)
    return found[0]


def list_book_contacts(
    *,
    workspace: Workspace,
    list_uid: UUID,
    emails: Sequence[str] | None = None,
    uids: Sequence[UUID] | None = None,
    number: int = 1,
    size: int = MAX_BOOK_PAGE,
) -> list[BookContact]:
    """Return a page of a contact book in one order, the people longest known first; three statements.

    ``emails`` and ``uids`` narrow it down; what is no address is nobody's. Raises NoSuchList.
    """
    list_ = get_list_by_uid(workspace=workspace, uid=list_uid)
    size = min(max(1, size), MAX_BOOK_PAGE)
    offset = (min(max(1, number), 1_000_000) - 1) * size
    narrowed = [*_narrowed(workspace, emails, uids)]
    text = "AND contact_id = ANY(%s) " * len(narrowed) + "ORDER BY contact_id LIMIT %s OFFSET %s"
    return _show(workspace, list_, Sql(text, (*narrowed, size, offset)))


def page_book_contacts(*, workspace: Workspace, list_: List, page: PageRequest) -> Page[BookContact]:
    """Return a page of the people on a list, longest known first; nothing is counted."""
    part = Sql("ORDER BY contact_id LIMIT %s OFFSET %s", (page.size + 1, page.offset))
    found = _show(workspace, list_, part)
    return Page(tuple(found[: page.size]), page.number, page.size, len(found) > page.size)


def find_mailable(
    *, workspace: Workspace, list_id: int, contact_ids: Iterable[int], as_subscribed: bool = False
) -> set[int]:
    """Return to whom a campaign to a list may go now, or could if they were subscribed."""
    fence = Fence(list_ids=(list_id,))
    states = load_mail_states(workspace=workspace, contact_ids=contact_ids, fence=fence)
    judged = {
        key: replace(state, list_status=MemberStatus.SUBSCRIBED) if as_subscribed else state
        for key, state in states.items()
    }
    return {
        key
        for key, state in judged.items()
        if may_we_mail(state, message_class=_CAMPAIGN, has_list=True, has_category=False).is_allowed
    }


def _count(list_ids: Collection[int]) -> dict[int, int]:
    rows = ListMember.objects.filter(list_id__in=list_ids).order_by().values_list("list_id")
    return dict(rows.annotate(Count("pk")))


def _narrowed(workspace: Workspace, emails: Sequence[str] | None, uids: Sequence[UUID] | None) -> Iterator[list[int]]:
    if emails is not None:
        yield _ids_of(workspace, emails)
    if uids is not None:
        people = visible_people(workspace=workspace).filter(uid__in=uids)
        yield list(people.values_list("pk", flat=True))


def _ids_of(workspace: Workspace, emails: Iterable[str]) -> list[int]:
    """Return the people whom addresses mean, those they gave up in merges included."""
    wanted = {found for found in map(_normalised, emails) if found}
    wanted |= {kept for _, kept in find_kept_addresses(organization_id=workspace.organization_id, emails=wanted)}
    people = Contact.objects.filter(organization_id=workspace.organization_id, email__in=wanted)
    return list(people.values_list("pk", flat=True))


def _normalised(text: str) -> str:
    try:
        return normalise_email(text)
    except BadAddress:
        return ""


def _show(workspace: Workspace, list_: List, page: Sql) -> list[BookContact]:
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE.format(page=page.text), (list_.pk, *page.params, workspace.pk))
        rows = cursor.fetchall()
    # All as one document, and times as numbers: both are read in a fraction of the time.
    properties = json.loads(f"[{','.join([row[6] for row in rows])}]")
    subscribed = [row[0] for row in rows if row[5] == MemberStatus.SUBSCRIBED]
    mailable = find_mailable(workspace=workspace, list_id=list_.pk, contact_ids=subscribed) if subscribed else set()
    return [
        BookContact(
            id=row[0],
            uid=row[1],
            email=row[2],
            first_name=row[3],
            last_name=row[4],
            status=MemberStatus(row[5]),
            is_subscribed=row[0] in mailable,
            properties=own,
            created_at=datetime.fromtimestamp(row[7], UTC),
            updated_at=datetime.fromtimestamp(row[8], UTC),
        )
        for row, own in zip(rows, properties, strict=True)
    ]
