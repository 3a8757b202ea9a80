"""The list of messages as a file for a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from io import StringIO
from typing import TYPE_CHECKING, Final

from postroom.core.contacts.rules.formulas import neutralise
from postroom.core.mail import selectors as mail

if TYPE_CHECKING:
    from postroom.core.mail.models import Message

MOST_ROWS: Final = 10_000

_COLUMNS: Final = (
    *("id", "made", "state", "from", "to", "cc", "bcc", "subject", "sender", "kind", "scheduled", "sent", "delivered"),
    *("opened", "clicked", "bounced", "bounce_code", "complained", "reply_code", "reply"),
)


def write_csv(messages: "Iterable[Message]") -> str:
    """Return the messages as CSV with a byte order mark, as spreadsheets read it; no cell of it is a formula."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    writer.writerows([neutralise(cell) for cell in _row(message)] for message in messages)
    return "\ufeff" + out.getvalue()


def _row(message: "Message") -> Iterator[str]:
    yield from (message.uid.hex, _at(message.created_at), message.status)
    yield message.from_address or message.sender.from_email
    yield from (", ".join(field) for field in (message.to, message.cc, message.bcc))
    yield from (mail.subject_of(message), message.sender.name, message.message_class)
    times = (message.scheduled_at, message.sent_at, message.delivered_at, message.opened_at, message.clicked_at)
    yield from map(_at, times)
    yield from (_at(message.bounced_at), message.bounce_code, _at(message.complained_at))
    yield from (str(message.reply_code or ""), message.reply_text)


def _at(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment is not None else ""
