"""Reads of lists as programs keep them: contact books, and the people in them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final
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
from postroom.core.contacts.types import BookContact, Fence, MemberStatus
from postroom.core.workspaces.models import Workspace

MAX_BOOK_PAGE: Final = 5_000

_HOLD: Final = "SELECT id FROM contacts_list WHERE workspace_id = %s AND uid = %s FOR SHARE"
_CAMPAIGN: Final = "marketing"


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
    found = _show(workspace, list_, list(ListMember.objects.filter(list=list_, contact=contact)))
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
    rows = ListMember.objects.filter(list=list_)
    if emails is not None:
        rows = rows.filter(contact_id__in=_ids_of(workspace, emails))
    if uids is not None:
        people = visible_people(workspace=workspace).filter(uid__in=uids)
        rows = rows.filter(contact_id__in=list(people.values_list("pk", flat=True)))
    return _show(workspace, list_, list(rows.order_by("contact_id")[offset : offset + size]))


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


def _show(workspace: Workspace, list_: List, members: Sequence[ListMember]) -> list[BookContact]:
    ids = [member.contact_id for member in members]
    people = visible_people(workspace=workspace).filter(pk__in=ids)
    rows = people.values_list("pk", "uid", "email", "first_name", "last_name", "updated_at")
    known = {row[0]: row for row in rows}
    subscribed = [member.contact_id for member in members if member.status == MemberStatus.SUBSCRIBED]
    mailable = find_mailable(workspace=workspace, list_id=list_.pk, contact_ids=subscribed) if subscribed else set()
    return [
        _contact(member, known[member.contact_id], is_subscribed=member.contact_id in mailable)
        for member in members
        if member.contact_id in known
    ]


def _contact(member: ListMember, row: tuple[Any, ...], *, is_subscribed: bool) -> BookContact:
    pk, uid, email, first_name, last_name, updated_at = row
    return BookContact(
        id=pk,
        uid=uid,
        email=email or "",
        first_name=first_name,
        last_name=last_name,
        status=MemberStatus(member.status),
        is_subscribed=is_subscribed,
        properties=member.properties,
        created_at=member.created_at,
        updated_at=max(member.updated_at, updated_at),
    )
