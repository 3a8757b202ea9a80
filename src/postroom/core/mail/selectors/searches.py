"""Looking through the ledger, newest first: any part of it costs the same, however long it is.

A message that many are like is soon met by walking from the newest. One that few are like may be far away: so a walk
looks at so many messages and no more, and says where it stopped.
"""

from dataclasses import dataclass
from typing import Final

from django.db.models import F, QuerySet
from django.db.models.fields.json import KeyTextTransform

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.types import Selection
from postroom.core.mail.models import Message
from postroom.core.mail.types import MessageSearch, MessageStatus
from postroom.core.workspaces.models import Workspace

WALK: Final = 20_000
"""How many messages one page looks at."""

PEOPLE: Final = 200
"""Of how many people, the newest, messages are looked for when many have a name or an address that begins so."""


@dataclass(frozen=True, slots=True)
class FoundMessages:
    """Some messages, newest first. The rest is older than ``next``, None at the end; ``is_cut`` says that the walk
    ended before the page was full.
    """

    items: tuple[Message, ...]
    next: int | None
    is_cut: bool = False


def search_messages(
    *, workspace: Workspace, search: MessageSearch, before: int | None = None, size: int = 50
) -> FoundMessages:
    """Return up to ``size`` messages older than number ``before``, with their sender, content and contact."""
    rows = Message.objects.filter(workspace=workspace)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    if search.status is not None:
        rows = rows.filter(status=search.status)
    return _search_people(workspace, rows, search, size) if search.who.strip() else _walk(rows, search, size)


def _walk(rows: QuerySet[Message], search: MessageSearch, size: int) -> FoundMessages:
    way, is_narrowed = rows.order_by("-pk"), search.message_class is not None or search.sender_id is not None
    if not is_narrowed and search.status != MessageStatus.SENT:
        return _page(list(way.values_list("pk", flat=True)[: size + 1]), size)
    ahead = list(way.values_list("pk", flat=True)[WALK - 1 : WALK])
    stretch = rows.filter(pk__gte=ahead[0]) if ahead else rows
    keys = list(_narrow(stretch, search).order_by("-pk").values_list("pk", flat=True)[: size + 1])
    if len(keys) > size or not ahead:
        return _page(keys, size)
    return FoundMessages(_load(keys), ahead[0], is_cut=True)


def _search_people(workspace: Workspace, rows: QuerySet[Message], search: MessageSearch, size: int) -> FoundMessages:
    """Look for the messages of people whose name or address begins so, and for those to strangers whose address does.

    Each by the index of its own: the order is one that no index has, so that no walk is tempted.
    """
    who = search.who.strip().lower()
    people = contacts.browse_contacts(
        workspace=workspace, selection=Selection(search=who), stretch=contacts.Stretch(size=PEOPLE)
    )
    narrowed = _narrow(rows, search)
    theirs = narrowed.filter(contact_id__in=[person.pk for person in people.items])
    strangers = narrowed.alias(first=KeyTextTransform(0, "to")).filter(contact=None, first__startswith=who)
    aside = (F("pk") + 0).desc()
    found = [
        key for part in (theirs, strangers) for key in part.order_by(aside).values_list("pk", flat=True)[: size + 1]
    ]
    return _page(sorted(found, reverse=True)[: size + 1], size)


def _narrow(rows: QuerySet[Message], search: MessageSearch) -> QuerySet[Message]:
    if search.message_class is not None:
        rows = rows.filter(message_class=search.message_class)
    return rows.filter(sender_id=search.sender_id) if search.sender_id is not None else rows


def _page(keys: list[int], size: int) -> FoundMessages:
    return FoundMessages(_load(keys[:size]), keys[size - 1] if len(keys) > size else None)


def _load(keys: list[int]) -> tuple[Message, ...]:
    rows = Message.objects.select_related("sender", "content", "contact").filter(pk__in=keys)
    return tuple(rows.order_by("-pk"))
