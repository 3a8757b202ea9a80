"""Finds people by what they were called before they were merged: old keys, old uids, given-up addresses."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from postroom.core.contacts.models import Contact, ContactAlias
from postroom.kit.arrays import text_array_text

_KEPT: Final = """
SELECT a.email, c.email FROM contacts_contactalias a JOIN contacts_contact c ON c.id = a.contact_id
WHERE a.organization_id = %s AND a.email = ANY(%s::text[]) AND c.email IS NOT NULL
"""


def find_survivor(
    *, people: QuerySet[Contact], uid: UUID | None = None, contact_id: int | None = None
) -> Contact | None:
    """Return whom of ``people`` a merged person lives on in, by their old uid or their old key; None: not merged."""
    old = {"aliases__old_uid": uid} if uid is not None else {"aliases__old_id": contact_id}
    return people.filter(**old).first()


def find_owner(*, organization_id: int, email: str) -> Contact | None:
    """Return whom a normalised address means in an organization: who has it, or gave it up in a merge."""
    people = Contact.objects.filter(organization_id=organization_id, erased_at=None)
    former = {"aliases__organization_id": organization_id, "aliases__email": email}
    return people.filter(email=email).first() or people.filter(**former).first()


def find_kept_addresses(*, organization_id: int, emails: Collection[str]) -> list[tuple[str, str]]:
    """Return which of many normalised addresses were given up in merges, each with the one that was kept."""
    merged = ContactAlias.objects.filter(organization_id=organization_id).exclude(email="")
    if not emails or not merged.exists():
        return []
    with connection.cursor() as cursor:
        cursor.execute(_KEPT, [organization_id, text_array_text(emails)])
        return [(given_up, kept) for given_up, kept in cursor.fetchall()]


def list_person_ids(*, contact: Contact) -> list[int]:
    """Return every key a person goes by: their own, then those of whoever was merged into them."""
    return [contact.pk, *ContactAlias.objects.filter(contact=contact).order_by("pk").values_list("old_id", flat=True)]


def list_former_addresses(*, contact: Contact) -> list[str]:
    """Return the addresses a person gave up in merges, the latest first."""
    aliases = ContactAlias.objects.filter(contact=contact).exclude(email="").order_by("-pk")
    return list(aliases.values_list("email", flat=True))
