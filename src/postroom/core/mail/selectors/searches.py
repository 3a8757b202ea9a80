"""Looking through the ledger, newest first: any part of it costs the same, however long it is.

A message that many are like is soon met by walking from the newest. One that few are like may be far away: so a walk
looks at so many messages and no more, and says where it stopped.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.types import Selection
from postroom.core.mail.models import Letter, Message, Template
from postroom.core.mail.types import MessageFact, MessageSearch, MessageStatus
from postroom.core.workspaces.models import Workspace

WALK: Final = 20_000
"""How many messages one page looks at."""

PEOPLE: Final = 200
"""Of how many people, the newest, messages are looked for when many have a name or an address that begins so."""

SLACK: Final = timedelta(days=1)
"""By how much the numbers of messages may be out of step with the times they were made."""

_FACTS: Final = {
    MessageFact.SCHEDULED: Q(status=MessageStatus.QUEUED, tries=0, scheduled_at__gt=F("created_at")),
    MessageFact.DELIVERED: Q(delivered_at__isnull=False),
    MessageFact.OPENED: Q(opened_at__isnull=False),
    MessageFact.CLICKED: Q(clicked_at__isnull=False),
    MessageFact.BOUNCED: Q(bounced_at__isnull=False),
    MessageFact.COMPLAINED: Q(complained_at__isnull=False),
}

# Numbers rise with time: the first message of a time is found by halving, a probe of one index each.
_FIRST_SINCE: Final = """
WITH RECURSIVE half (low, high) AS (
    SELECT min(id), max(id) + 1 FROM mail_message WHERE workspace_id = %(workspace_id)s
    UNION ALL
    SELECT CASE WHEN probe.created_at < %(at)s THEN probe.id + 1 ELSE half.low END,
        CASE WHEN probe.created_at < %(at)s THEN half.high ELSE middle.id END
    FROM half, LATERAL (SELECT (half.low + half.high) / 2 AS id) middle
    LEFT JOIN LATERAL (
        SELECT m.id, m.created_at FROM mail_message m
        WHERE m.workspace_id = %(workspace_id)s AND m.id >= middle.id ORDER BY m.id LIMIT 1) probe ON true
    WHERE half.low < half.high)
SELECT low FROM half WHERE low >= high
"""


@dataclass(frozen=True, slots=True)
class FoundMessages:
    """Some messages, newest first. The rest is older than ``next``, None at the end; ``is_cut`` says that the walk
    ended before the page was full.
    """

    items: tuple[Message, ...]
    next: int | None
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class FoundCount:
    """How many messages there are like that; ``is_more`` says that nobody counted on."""

    number: int
    is_more: bool


def search_messages(
    *, workspace: Workspace, search: MessageSearch, before: int | None = None, size: int = 50
) -> FoundMessages:
    """Return up to ``size`` messages older than number ``before``, with their sender and contact; ``subject_of`` tells
    what each is about.
    """
    rows = _rows(workspace, search)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return _search_people(workspace, rows, search, size) if search.who.strip() else _walk(rows, search, size)


def count_found(*, workspace: Workspace, search: MessageSearch, most: int = 10_000) -> FoundCount | None:
    """Return how many messages are like that, up to ``most`` and as far as one walk looks; None where people are looked
    for.
    """
    if search.who.strip():
        return None
    rows = _rows(workspace, search)
    stretch, ahead = _stretch(rows) if _needs_walk(search) else (rows, None)
    number = _narrow(stretch, search).order_by("-pk")[: most + 1].count()
    return FoundCount(min(number, most), is_more=number > most or ahead is not None)


def iter_found(*, workspace: Workspace, search: MessageSearch, most: int) -> Iterator[Message]:
    """Yield the newest messages that are like that, ``most`` at most, however far away they are."""
    before: int | None = None
    left = most
    while left > 0:
        found = search_messages(workspace=workspace, search=search, before=before, size=min(left, 500))
        yield from found.items
        before, left = found.next, left - len(found.items)
        if before is None:
            return


def subject_of(message: Message) -> str:
    """Return what a message that was found is about, as its author wrote it."""
    return str(getattr(message, "subject_line", ""))


def _rows(workspace: Workspace, search: MessageSearch) -> QuerySet[Message]:
    """Return the messages of the state and the time looked for; of the time only so far as numbers tell."""
    rows = Message.objects.filter(workspace=workspace)
    if search.status is not None:
        rows = rows.filter(status=search.status)
    if search.since is not None:
        first = _first_since(workspace, search.since - SLACK)
        rows = rows.none() if first is None else rows.filter(pk__gte=first)
    if search.until is not None:
        end = _first_since(workspace, search.until + SLACK)
        rows = rows.none() if end is None else rows.filter(pk__lt=end)
    return rows


def _first_since(workspace: Workspace, at: datetime) -> int | None:
    """Return the number of the first message made at ``at`` or later, the next number when none was; None without any
    message.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_SINCE, {"workspace_id": workspace.pk, "at": at})
        found = cursor.fetchone()
    return int(found[0]) if found else None


def _needs_walk(search: MessageSearch) -> bool:
    """An index has the order of all messages, and of every state but the one that nearly all are in."""
    return search.is_narrowed or search.status == MessageStatus.SENT


def _walk(rows: QuerySet[Message], search: MessageSearch, size: int) -> FoundMessages:
    if not _needs_walk(search):
        return _page(list(rows.order_by("-pk").values_list("pk", flat=True)[: size + 1]), size)
    stretch, ahead = _stretch(rows)
    keys = list(_narrow(stretch, search).order_by("-pk").values_list("pk", flat=True)[: size + 1])
    if len(keys) > size or ahead is None:
        return _page(keys, size)
    return FoundMessages(_load(keys), ahead, is_cut=True)


def _stretch(rows: QuerySet[Message]) -> tuple[QuerySet[Message], int | None]:
    """Return as many messages as one walk looks at, and the number of the last when it may not be the last of all."""
    ahead = list(rows.order_by("-pk").values_list("pk", flat=True)[WALK - 1 : WALK])
    return (rows.filter(pk__gte=ahead[0]), ahead[0]) if ahead else (rows, None)


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
    if search.fact is not None:
        rows = rows.filter(_FACTS[search.fact])
    if search.subject:
        rows = rows.filter(_about(search.subject))
    if search.since is not None:
        rows = rows.filter(created_at__gte=search.since)
    if search.until is not None:
        rows = rows.filter(created_at__lt=search.until)
    return _narrow_origin(rows, search)


def _narrow_origin(rows: QuerySet[Message], search: MessageSearch) -> QuerySet[Message]:
    if search.sender_id is not None:
        rows = rows.filter(sender_id=search.sender_id)
    if search.domain_id is not None:
        rows = rows.filter(sender__domain_id=search.domain_id)
    if search.api_key_id is not None:
        rows = rows.filter(api_key_id=search.api_key_id)
    return rows


def _about(words: str) -> Q:
    letters = Letter.objects.filter(message_id=OuterRef("pk"), subject__icontains=words)
    return Q(content__subject__icontains=words) | Q(Exists(letters), content=None)


def _page(keys: list[int], size: int) -> FoundMessages:
    return FoundMessages(_load(keys[:size]), keys[size - 1] if len(keys) > size else None)


def _load(keys: list[int]) -> tuple[Message, ...]:
    template = Template.objects.filter(pk=OuterRef("template_id")).values("subject")
    letter = Letter.objects.filter(message_id=OuterRef("pk"))
    written = letter.values(line=Coalesce(Subquery(template), "subject", output_field=TextField()))
    rows = Message.objects.select_related("sender", "contact").filter(pk__in=keys)
    line = Coalesce("content__subject", Subquery(written), Value(""), output_field=TextField())
    return tuple(rows.annotate(subject_line=line).order_by("-pk"))
