"""Reads of what the system would write."""

from django.conf import settings

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.models import List
from postroom.core.mail.rules import compose
from postroom.core.mail.rules.notices import NOTICE, confirmation_notice, notice_slots
from postroom.core.mail.types import MessageClass


def preview_confirmation(*, list_: List) -> compose.Preview:
    """Return the mail that asks a person whether they want to be on a list, with a link that confirms nothing."""
    notice = confirmation_notice(
        workspace_name=list_.workspace.name,
        terms=contacts.list_terms(list_),
        url=f"{settings.PUBLIC_URL}/confirm/…",
    )
    return compose.preview(NOTICE, notice_slots(notice), MessageClass.SYSTEM)
