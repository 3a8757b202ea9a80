"""Reads of people, always within a workspace's links."""

import json
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import F, Prefetch, Q, QuerySet, Value
from django.db.models.expressions import OrderBy
from django.db.models.functions import NullIf

from postroom.core.contacts.errors import NoSuchContact
from postroom.core.contacts.models import Contact, ContactTag, ContactWorkspace
from postroom.core.contacts.selectors.aliases import find_survivor_id
from postroom.core.contacts.selectors.segments import get_segment_by_id, matching_ids
from postroom.core.contacts.types import ContactOrder
from postroom.core.workspaces.models import Workspace
from postroom.kit.paging import Page, PageRequest, fetch_page
from postroom.kit.types import JSONValue

NEWEST_FIRST: Final = ContactOrder()

_CORE: Final = ("email", "first_name", "last_name", "company", "phone", "language", "timezone")
_PROFILES: Final = """
SELECT id, custom::text, coalesce(email, ''), first_name, last_name, company, phone, language, timezone
FROM contacts_contact WHERE id = ANY(%s)
"""


def get_contact(*, workspace: Workspace, uid: UUID) -> Contact:
    """Return a person of the workspace; the old uid of one who was merged leads to the person they became.

    Raises NoSuchContact, for strangers' people too.
    """
    people = _visible(workspace)
    contact = people.filter(uid=uid).first() or _survivor(workspace, people, uid=uid)
    if contact is None:
        raise NoSuchContact(uid=uid)
    return contact


def lock_contact(*, workspace: Workspace, uid: UUID) -> Contact:
    """Return the same person, locked until the transaction ends. Raises NoSuchContact."""
    people = _visible(workspace).select_for_update(of=("self",))
    contact = people.filter(uid=uid).first() or _survivor(workspace, people, uid=uid)
    if contact is None:
        raise NoSuchContact(uid=uid)
    return contact


def lock_contact_by_id(*, workspace: Workspace, contact_id: int) -> Contact:
    """Return a person of the workspace by key, locked until the transaction ends. Raises NoSuchContact."""
    people = _visible(workspace).select_for_update(of=("self",))
    contact = people.filter(pk=contact_id).first() or _survivor(workspace, people, contact_id=contact_id)
    if contact is None:
        raise NoSuchContact(id=contact_id)
    return contact


def lock_known_contact(*, workspace: Workspace, contact_id: int) -> Contact:
    """Return a person of the organization, linked to the workspace or not any more, locked. Raises NoSuchContact."""
    people = Contact.objects.filter(organization_id=workspace.organization_id, erased_at=None).select_for_update()
    contact = people.filter(pk=contact_id).first() or _survivor(workspace, people, contact_id=contact_id)
    if contact is None:
        raise NoSuchContact(id=contact_id)
    return contact


def lock_unmerged(*, workspace: Workspace, uids: Iterable[UUID]) -> dict[UUID, Contact]:
    """Return people of the workspace by their present uids alone, locked in one order whoever asks. Raises
    NoSuchContact for the first who is missing.
    """
    wanted = list(uids)
    rows = _visible(workspace).select_for_update(of=("self",)).filter(uid__in=wanted).order_by("pk")
    found = {contact.uid: contact for contact in rows}
    for uid in wanted:
        if uid not in found:
            raise NoSuchContact(uid=uid)
    return found


def _survivor(
    workspace: Workspace, people: QuerySet[Contact], *, uid: UUID | None = None, contact_id: int | None = None
) -> Contact | None:
    survivor_id = find_survivor_id(organization_id=workspace.organization_id, uid=uid, contact_id=contact_id)
    return people.filter(pk=survivor_id).first() if survivor_id is not None else None


def list_contacts(
    *,
    workspace: Workspace,
    search: str = "",
    list_id: int | None = None,
    tag: str | None = None,
    segment_id: int | None = None,
    page: PageRequest,
    order: ContactOrder = NEWEST_FIRST,
) -> Page[Contact]:
    """Return people, newest first unless told otherwise, their ``links`` and ``tag_links`` of this workspace loaded.

    ``search`` looks for each word anywhere in address and names. Raises NoSuchSegment.
    """
    rows = _searched(_visible(workspace), search)
    if list_id is not None:
        rows = rows.filter(memberships__list_id=list_id, memberships__list__workspace=workspace)
    if tag is not None:
        rows = rows.filter(tag_links__tag__workspace=workspace, tag_links__tag__name__iexact=tag.replace("\0", ""))
    if segment_id is not None:
        segment = get_segment_by_id(workspace=workspace, segment_id=segment_id)
        rows = rows.filter(pk__in=matching_ids(workspace=workspace, filter_=segment.filter))
    return fetch_page(_with_marks(rows, workspace).order_by(*_sorted_by(order)), page)


def load_profiles(*, contact_ids: Iterable[int]) -> dict[int, dict[str, JSONValue]]:
    """Return what templates may say of each person: core fields, and custom ones under ``custom`` and by their own key
    where that shadows nothing.
    """
    with connection.cursor() as cursor:  # one array, not a parameter for each person: this feeds the senders
        cursor.execute(_PROFILES, [list(contact_ids)])
        return {pk: _profile(json.loads(custom), core) for pk, custom, *core in cursor.fetchall()}


def _profile(custom: dict[str, JSONValue], core: list[str]) -> dict[str, JSONValue]:
    return {**custom, **dict(zip(_CORE, core, strict=True)), "custom": custom}


def _visible(workspace: Workspace) -> QuerySet[Contact]:
    return Contact.objects.filter(links__workspace=workspace, organization_id=workspace.organization_id, erased_at=None)


def _sorted_by(order: ContactOrder) -> tuple[OrderBy, ...]:
    """The key says when somebody came, and decides between equals."""
    key = F("pk").asc() if order.is_ascending else F("pk").desc()
    if order.by == "created_at":
        return (key,)
    text = NullIf(F(order.by), Value(""))
    return (text.asc(nulls_last=True) if order.is_ascending else text.desc(nulls_last=True), key)


def _searched(rows: QuerySet[Contact], search: str) -> QuerySet[Contact]:
    for word in search.replace("\0", "").split()[:5]:
        rows = rows.filter(
            Q(email__icontains=word)
            | Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(company__icontains=word)
        )
    return rows


def _with_marks(rows: QuerySet[Contact], workspace: Workspace) -> QuerySet[Contact]:
    links = ContactWorkspace.objects.filter(workspace=workspace)
    tags = ContactTag.objects.filter(tag__workspace=workspace).select_related("tag").order_by(F("tag__name"))
    return rows.prefetch_related(Prefetch("links", links), Prefetch("tag_links", tags))
