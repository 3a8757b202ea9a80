"""The mail of a person: what was sent to them, and what they and their servers did with it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from postroom.core.insights.selectors.timeline_cuts import Row, Scope, SourceCut
from postroom.core.insights.types import Reference, TimelineEntry, TimelineKind
from postroom.core.mail.types import MessageStatus

_DEEDS: Final = {
    TimelineKind.ENGAGEMENT: {
        "opened": "Opened a mail",
        "clicked": "Followed a link",
        "replied": "Replied",
    },
    TimelineKind.MAIL: {
        "bounced": "Mail bounced",
        "complained": "Complained about a mail",
        "unsubscribed": "Unsubscribed",
        "deferred": "Mail put off by the server",
        "failed": "Mail could not be sent",
    },
}
_TITLES: Final = {type_: title for deeds in _DEEDS.values() for type_, title in deeds.items()}
_BY_MACHINE: Final = {"opened": "Mail opened by a machine", "clicked": "Link followed by a scanner"}
_STATES: Final = {
    MessageStatus.SENT: "Sent",
    MessageStatus.FAILED: "Not sent",
    MessageStatus.SUPPRESSED: "Held back",
    MessageStatus.IN_DOUBT: "Perhaps sent",
    MessageStatus.CANCELLED: "Cancelled",
}

# A person is all keys they ever went by; each is one walk of an index, newest first.
_MESSAGES: Final = """
SELECT m.id, m.at, m.status, m.reply_text, coalesce(nullif(k.name, ''), o.subject), k.uid
FROM (
    SELECT id, coalesce(sent_at, created_at) AS at, status, reply_text, batch_id, content_id FROM mail_message
    WHERE contact_id = ANY(%(people)s) AND workspace_id = %(workspace)s
      AND (coalesce(sent_at, created_at), id) < (%(at)s, %(number)s)
    ORDER BY coalesce(sent_at, created_at) DESC, id DESC LIMIT %(limit)s
) m
JOIN mail_content o ON o.id = m.content_id
LEFT JOIN campaigns_campaign k ON k.batch_id = m.batch_id
ORDER BY m.at DESC, m.id DESC
"""
_DELIVERY: Final = """
SELECT e.key, e.at, e.type, e.is_bot, coalesce(l.url, ''), coalesce(nullif(k.name, ''), o.subject, ''), k.uid
FROM (
    SELECT e.* FROM unnest(%(people)s::bigint[]) AS person(id) CROSS JOIN LATERAL (
        SELECT key, at, type, is_bot, link_index, message_id FROM mail_deliveryevent
        WHERE contact_id = person.id AND workspace_id = %(workspace)s AND type = ANY(%(types)s)
          AND at <= %(at)s AND (at, key COLLATE "C") < (%(at)s, %(text)s)
        ORDER BY at DESC, key COLLATE "C" DESC LIMIT %(limit)s
    ) e ORDER BY e.at DESC, e.key COLLATE "C" DESC LIMIT %(limit)s
) e
LEFT JOIN mail_message m ON m.id = e.message_id
LEFT JOIN mail_content o ON o.id = m.content_id
LEFT JOIN campaigns_campaign k ON k.batch_id = m.batch_id
LEFT JOIN mail_trackedlink l ON l.content_id = m.content_id AND l.index = e.link_index
"""


@dataclass(frozen=True, slots=True)
class _Mail:
    """One message as the ledger has it; ``name`` is its campaign's, else its subject."""

    id: int
    at: datetime
    status: MessageStatus
    reply: str
    name: str
    campaign_uid: UUID | None

    def show(self) -> TimelineEntry:
        """Return it as an entry."""
        title = f"{_STATES.get(self.status, 'Waiting to be sent')}: {self.name}"
        return TimelineEntry(
            self.at, f"mail.{self.status.value}", title, detail=self.reply, about=_campaign(self.campaign_uid)
        )


@dataclass(frozen=True, slots=True)
class _Deed:
    """One event of delivery."""

    key: str
    at: datetime
    type: str
    is_bot: bool
    url: str
    name: str
    campaign_uid: UUID | None

    def show(self) -> TimelineEntry:
        """Return it as an entry."""
        title = _BY_MACHINE.get(self.type, _TITLES[self.type]) if self.is_bot else _TITLES[self.type]
        kind = f"mail.{'machine_' if self.is_bot and self.type == 'opened' else ''}{self.type}"
        return TimelineEntry(
            self.at, kind, title, detail=self.url or self.name, link=self.url, about=_campaign(self.campaign_uid)
        )


def list_mails(scope: Scope, cut: SourceCut, limit: int) -> Iterable[Row]:
    """Return the newest messages behind the cut, each at the time it was sent, else at the time it was made."""
    if not scope.wants(TimelineKind.MAIL):
        return []
    found = [
        _Mail(pk, at, MessageStatus(status), *rest)
        for pk, at, status, *rest in _fetch(_MESSAGES, _params(scope, cut, limit))
    ]
    return [Row(mail.at, cut.source, mail.id, mail.show) for mail in found]


def list_deeds(scope: Scope, cut: SourceCut, limit: int) -> Iterable[Row]:
    """Return what became of messages, newest first, behind the cut."""
    types = [type_ for kind in scope.kinds for type_ in _DEEDS.get(kind, ())]
    if not types:
        return []
    found = [_Deed(*row) for row in _fetch(_DELIVERY, _params(scope, cut, limit) | {"types": types})]
    return [Row(deed.at, cut.source, deed.key, deed.show) for deed in found]


def _params(scope: Scope, cut: SourceCut, limit: int) -> dict[str, Any]:
    return {
        "people": list(scope.person_ids),
        "workspace": scope.workspace.pk,
        "at": cut.at,
        "number": cut.number,
        "text": cut.text,
        "limit": limit,
    }


def _fetch(statement: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return list(cursor.fetchall())


def _campaign(uid: UUID | None) -> Reference | None:
    return Reference("campaign", uid) if uid else None
