"""Reads of what the system would write."""

from typing import Final

from django.conf import settings

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.models import List
from postroom.core.mail.rules import compose
from postroom.core.mail.rules.confirmations import confirmation_letter
from postroom.core.mail.types import MessageClass

_SOMEBODY: Final = {"email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace"}


def preview_confirmation(*, list_: List) -> compose.Preview:
    """Return the mail that asks a person whether they want to be on a list, with a link that confirms nothing."""
    letter = confirmation_letter(
        workspace_name=list_.workspace.name,
        terms=contacts.list_terms(list_),
        person=_SOMEBODY,
        url=f"{settings.PUBLIC_URL}/confirm/…",
    )
    return compose.preview(letter.composition, dict(letter.slots), MessageClass.SYSTEM)
