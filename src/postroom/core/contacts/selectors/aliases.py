"""Finds people by what they were called before they were merged: old keys, old uids, given-up addresses."""

from uuid import UUID

from postroom.core.contacts.models import Contact, ContactAlias


def find_survivor_id(
    *, organization_id: int, uid: UUID | None = None, contact_id: int | None = None, email: str | None = None
) -> int | None:
    """Return the key of the person whom a merged one lives on in, by exactly one of the old names; None: not merged."""
    aliases = ContactAlias.objects.filter(organization_id=organization_id)
    if uid is not None:
        aliases = aliases.filter(old_uid=uid)
    elif contact_id is not None:
        aliases = aliases.filter(old_id=contact_id)
    else:
        aliases = aliases.filter(email=email or None)
    return aliases.values_list("contact_id", flat=True).first()


def list_person_ids(*, contact: Contact) -> list[int]:
    """Return every key a person goes by: their own, then those of whoever was merged into them."""
    return [contact.pk, *ContactAlias.objects.filter(contact=contact).order_by("pk").values_list("old_id", flat=True)]
