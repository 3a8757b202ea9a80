"""Who holds what: for an operator who wonders about a sender that is gone for good."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

SILENT_AFTER: Final = timedelta(seconds=45)
"""A sender process says every ten seconds that it is there."""

_HELD: Final = """
SELECT owner, coalesce(p.host, ''), coalesce(held.recipients, 0), held.since, p.seen_at FROM (
    SELECT owner, sum(recipients) AS recipients, min(since) AS since FROM (
        SELECT owner, sum(size) AS recipients, min(claimed_at) AS since FROM mail_chunk WHERE status = 'claimed'
        GROUP BY owner
        UNION ALL
        SELECT owner, count(*), NULL FROM mail_message WHERE status = 'claimed' GROUP BY owner
    ) claims GROUP BY owner
) held FULL JOIN mail_senderprocess p USING (owner) ORDER BY owner
"""


@dataclass(frozen=True, slots=True)
class HeldClaims:
    """How many recipients a sender process may be about to mail; ``since`` its oldest chunk, None without one.

    ``host`` is its machine, ``seen_at`` when it last said that it is there; empty and None when it never did.
    """

    owner: str
    host: str
    recipients: int
    since: datetime | None
    seen_at: datetime | None

    def is_silent(self, now: datetime) -> bool:
        """Whether it has not said for a while that it is there: stopped, cut off from the database, or dead."""
        return self.seen_at is None or now - self.seen_at > SILENT_AFTER


def list_held_claims() -> list[HeldClaims]:
    """Return the sender processes and what each holds. A dead one of a machine that runs gives it back by itself; one
    of a lost machine keeps it until ``abandon_claims``.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HELD)
        return [
            HeldClaims(owner, host, int(recipients), since, seen_at)
            for owner, host, recipients, since, seen_at in cursor.fetchall()
        ]
