"""The life of one person in a workspace: what was sent to them, what they did, what was changed."""

from collections.abc import Iterable, Iterator
from typing import Any, Final
from uuid import UUID

from django.db import connection

from postroom.core.campaigns.models import Campaign
from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.models import Contact, ContactWorkspace
from postroom.core.events import selectors as events
from postroom.core.events.types import Event
from postroom.core.insights.types import TimelineEntry
from postroom.core.mail.models import Message
from postroom.core.mail.types import MessageStatus
from postroom.core.workspaces.models import Workspace
from postroom.kit.paging import Page, PageRequest

_TITLES: Final = {
    "contact.updated": "Details changed",
    "contact.tagged": "Tag added",
    "contact.untagged": "Tag removed",
    "contact.list_status_changed": "Place on a list changed",
    "contact.consent_changed": "Consent changed",
    "contact.opted_out": "Opted out",
    "contact.suppressed": "Address suppressed",
    "contact.unsuppressed": "Suppression lifted",
}
_DEEDS: Final = {
    "opened": "Opened a mail",
    "clicked": "Followed a link",
    "bounced": "Mail bounced",
    "complained": "Complained about a mail",
    "unsubscribed": "Unsubscribed",
    "replied": "Replied",
    "deferred": "Mail put off by the server",
    "failed": "Mail could not be sent",
}
_BY_MACHINE: Final = {"opened": "Mail opened by a machine", "clicked": "Link followed by a scanner"}
_STATES: Final = {
    MessageStatus.SENT: "Sent",
    MessageStatus.FAILED: "Not sent",
    MessageStatus.SUPPRESSED: "Held back",
    MessageStatus.IN_DOUBT: "Perhaps sent",
    MessageStatus.CANCELLED: "Cancelled",
}

_DELIVERY: Final = """
SELECT e.at, e.type, e.is_bot, coalesce(l.url, '')
FROM mail_deliveryevent e
LEFT JOIN mail_message m ON m.id = e.message_id
LEFT JOIN mail_trackedlink l ON l.content_id = m.content_id AND l.index = e.link_index
WHERE e.contact_id = %(contact_id)s AND e.workspace_id = %(workspace_id)s AND e.type = ANY(%(types)s)
ORDER BY e.at DESC LIMIT %(limit)s
"""


def contact_timeline(*, workspace: Workspace, contact_uid: UUID, page: PageRequest) -> Page[TimelineEntry]:
    """Return what happened with a person, newest first, as this workspace knows it. Raises NoSuchContact.

    Each source gives its newest entries up to the end of the page, so the page is exact whatever their mixture.
    """
    contact = contacts.get_contact(workspace=workspace, uid=contact_uid)
    limit = page.offset + page.size + 1
    facts = events.list_contact_events(workspace=workspace, contact_id=contact.pk, limit=limit)
    entries = [
        *_changes(facts),
        *_messages(workspace, contact, limit),
        *_deeds(workspace, contact, limit),
        *_beginning(workspace, contact),
    ]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    shown = entries[page.offset : page.offset + page.size]
    has_next = len(entries) > page.offset + page.size
    return Page(tuple(shown), page.number, page.size, has_next, total=None)


def _changes(facts: Iterable[Event]) -> Iterator[TimelineEntry]:
    for fact in facts:
        if fact.name in _TITLES:
            yield TimelineEntry(fact.at, fact.name, _TITLES[fact.name], detail=_describe(fact))


def _describe(fact: Event) -> str:
    """Return what an event's own data says that a person understands."""
    changed = fact.data.get("changed")
    if isinstance(changed, list):
        return ", ".join(str(name).replace("_", " ") for name in changed)
    word = fact.data.get("reason") or fact.data.get("state") or fact.data.get("status")
    return str(word).replace("_", " ") if isinstance(word, str) else ""


def _messages(workspace: Workspace, contact: Contact, limit: int) -> Iterator[TimelineEntry]:
    rows = Message.objects.filter(contact=contact, workspace=workspace).select_related("content")
    found = list(rows.order_by("-created_at")[:limit])
    batches = {row.batch_id for row in found if row.batch_id is not None}
    names = dict(Campaign.objects.filter(batch_id__in=batches).values_list("batch_id", "name"))
    for row in found:
        status = MessageStatus(row.status)
        title = f"{_STATES.get(status, 'Waiting to be sent')}: {names.get(row.batch_id or 0) or row.content.subject}"
        yield TimelineEntry(row.sent_at or row.created_at, f"mail.{status.value}", title, detail=row.reply_text)


def _deeds(workspace: Workspace, contact: Contact, limit: int) -> Iterator[TimelineEntry]:
    parameters: dict[str, Any] = {
        "contact_id": contact.pk,
        "workspace_id": workspace.pk,
        "types": list(_DEEDS),
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DELIVERY, parameters)
        rows = cursor.fetchall()
    for at, type_, is_bot, url in rows:
        title = _BY_MACHINE.get(type_, _DEEDS[type_]) if is_bot else _DEEDS[type_]
        yield TimelineEntry(at, f"mail.{type_}", title, detail=url, link=url)


def _beginning(workspace: Workspace, contact: Contact) -> Iterator[TimelineEntry]:
    """Yield how it began: an import of thousands writes no event for each, the link is always there."""
    at = ContactWorkspace.objects.filter(contact=contact, workspace=workspace).values_list("created_at", flat=True)
    for instant in at:
        yield TimelineEntry(instant, "contact.created", "Added to the workspace")
