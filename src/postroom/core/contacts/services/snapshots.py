"""A record as it stood, kept when it becomes part of another."""

from datetime import datetime
from typing import Final

from postroom.core.contacts.models import AccountContact, Consent, Contact, ContactTag, ContactWorkspace, ListMember
from postroom.core.contacts.rules.import_rows import LINE_LENGTHS
from postroom.kit.types import JSONObject, JSONValue

_COLUMNS: Final = ("uid", "email", *LINE_LENGTHS, "is_globally_opted_out", "globally_opted_out_at", "created_at")


def take_snapshot(contact: Contact) -> JSONObject:
    """Return a person's record, standing, tags and companies as plain values, by the keys of what they refer to."""
    members = ListMember.objects.filter(contact=contact).order_by("list_id")
    consents = Consent.objects.filter(contact=contact).order_by("category_id")
    links = ContactWorkspace.objects.filter(contact=contact).order_by("workspace_id")
    tags = ContactTag.objects.filter(contact=contact).order_by("tag_id")
    accounts = AccountContact.objects.filter(contact=contact).order_by("account_id")
    return {
        **{name: _plain(getattr(contact, name)) for name in _COLUMNS},
        "custom": dict(contact.custom),
        "workspaces": {str(link.workspace_id): link.status for link in links},
        "lists": {str(member.list_id): member.status for member in members},
        "consents": {str(consent.category_id): consent.state for consent in consents},
        "tags": [link.tag_id for link in tags],
        "accounts": {str(link.account_id): link.role for link in accounts},
    }


def _plain(value: object) -> JSONValue:
    if value is None or isinstance(value, (str, bool)):
        return value
    return value.isoformat() if isinstance(value, datetime) else str(value)
