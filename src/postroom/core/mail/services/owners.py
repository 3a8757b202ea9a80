"""Sender processes that say they are there, so that a silent one is seen wherever it ran."""

from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from postroom.core.mail.models import SenderProcess

_SEEN: Final = """
INSERT INTO mail_senderprocess (owner, host, started_at, seen_at) VALUES (%(owner)s, %(host)s, %(now)s, %(now)s)
ON CONFLICT (owner) DO UPDATE SET seen_at = excluded.seen_at
"""

# One that was killed and held nothing leaves nothing for anybody to settle.
_FORGET_IDLE: Final = """
DELETE FROM mail_senderprocess p WHERE p.seen_at < %(before)s
    AND NOT EXISTS (SELECT FROM mail_chunk c WHERE c.owner = p.owner AND c.status = 'claimed')
    AND NOT EXISTS (SELECT FROM mail_message m WHERE m.owner = p.owner AND m.status = 'claimed')
"""
KEPT_FOR: Final = timedelta(hours=1)


def note_sender(*, owner: str, host: str, now: datetime) -> None:
    """Note that a sender process is there."""
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, {"owner": owner, "host": host, "now": now})


def forget_sender(*, owner: str, now: datetime) -> None:
    """Forget a sender process that ended, and all that were silent for long and hold nothing."""
    SenderProcess.objects.filter(owner=owner).delete()
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_IDLE, {"before": now - KEPT_FOR})
