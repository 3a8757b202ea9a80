"""Who holds what: for an operator who wonders about a sender that is gone for good."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection

_HELD: Final = """
SELECT owner, sum(recipients), min(since) FROM (
    SELECT owner, sum(size) AS recipients, min(claimed_at) AS since FROM mail_chunk WHERE status = 'claimed'
    GROUP BY owner
    UNION ALL
    SELECT owner, count(*), NULL FROM mail_message WHERE status = 'claimed' GROUP BY owner
) held GROUP BY owner ORDER BY owner
"""


@dataclass(frozen=True, slots=True)
class HeldClaims:
    """How many recipients a sender process may be about to mail; ``since`` its oldest chunk, None without one."""

    owner: str
    recipients: int
    since: datetime | None


def list_held_claims() -> list[HeldClaims]:
    """Return what each sender process holds. A dead one of this machine gives it back by itself; one of a lost machine
    keeps it until ``abandon_claims``.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HELD)
        return [HeldClaims(owner, int(recipients), since) for owner, recipients, since in cursor.fetchall()]
