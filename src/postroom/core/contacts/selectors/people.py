"""Reads of people, always within a workspace's links."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import F, Prefetch, Q, QuerySet, Value
from django.db.models.expressions import OrderBy
from django.db.models.functions import NullIf

from postroom.core.contacts.errors import NoSuchContact
from postroom.core.contacts.models import (
    Category,
    Consent,
    Contact,
    ContactTag,
    ContactWorkspace,
    Field,
    ListMember,
    Suppression,
    Tag,
)
from postroom.core.contacts.selectors.fields import list_fields
from postroom.core.contacts.selectors.segments import get_segment_by_id, matching_ids
from postroom.core.contacts.selectors.suppressions import suppressions_in_force
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


@dataclass(frozen=True, slots=True)
class CustomValue:
    """A custom field and the person's value; None when they have none."""

    field: Field
    value: JSONValue


@dataclass(frozen=True, slots=True)
class CategoryWord:
    """A category and the person's word on it; None when they never said any."""

    category: Category
    consent: Consent | None


@dataclass(frozen=True, slots=True)
class ContactCard:
    """Everything a person's page shows; ``status`` is theirs in this workspace."""

    contact: Contact
    status: str
    tags: tuple[Tag, ...]
    memberships: tuple[ListMember, ...]
    consents: tuple[CategoryWord, ...]
    custom: tuple[CustomValue, ...]
    suppressions: tuple[Suppression, ...]


def get_contact(*, workspace: Workspace, uid: UUID) -> Contact:
    """Return a person of the workspace. Raises NoSuchContact, for strangers' people too."""
    contact = _visible(workspace).filter(uid=uid).first()
    if contact is None:
        raise NoSuchContact(uid=uid)
    return contact


def lock_contact(*, workspace: Workspace, uid: UUID) -> Contact:
    """Return a person of the workspace, locked until the transaction ends. Raises NoSuchContact."""
    contact = _visible(workspace).select_for_update(of=("self",)).filter(uid=uid).first()
    if contact is None:
        raise NoSuchContact(uid=uid)
    return contact


def lock_contact_by_id(*, workspace: Workspace, contact_id: int) -> Contact:
    """Return a person of the workspace by key, locked until the transaction ends. Raises NoSuchContact."""
    contact = _visible(workspace).select_for_update(of=("self",)).filter(pk=contact_id).first()
    if contact is None:
        raise NoSuchContact(id=contact_id)
    return contact


def lock_known_contact(*, workspace: Workspace, contact_id: int) -> Contact:
    """Return a person of the organization, linked to the workspace or not any more, locked. Raises NoSuchContact."""
    people = Contact.objects.filter(organization_id=workspace.organization_id, erased_at=None)
    contact = people.select_for_update().filter(pk=contact_id).first()
    if contact is None:
        raise NoSuchContact(id=contact_id)
    return contact


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


def describe_contact(*, workspace: Workspace, uid: UUID) -> ContactCard:
    """Return everything a person's page shows. Raises NoSuchContact."""
    contact = get_contact(workspace=workspace, uid=uid)
    said = {consent.category_id: consent for consent in Consent.objects.filter(contact=contact)}
    members = ListMember.objects.filter(contact=contact, list__workspace=workspace).select_related("list")
    return ContactCard(
        contact=contact,
        status=ContactWorkspace.objects.values_list("status", flat=True).get(contact=contact, workspace=workspace),
        tags=tuple(Tag.objects.filter(workspace=workspace, contact_links__contact=contact).order_by("name")),
        memberships=tuple(members.order_by("list__name")),
        consents=tuple(
            CategoryWord(category, said.get(category.pk))
            for category in Category.objects.filter(workspace=workspace).order_by("name")
        ),
        custom=tuple(CustomValue(field, contact.custom.get(field.key)) for field in list_fields(workspace=workspace)),
        suppressions=tuple(suppressions_in_force(workspace=workspace, contact=contact)),
    )


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
