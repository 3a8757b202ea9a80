"""Reads for the brakes: what became of a batch's or an account's mail, and at what share it stops."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from postroom.core.mail.models import BrakeTerms
from postroom.core.mail.rules.brakes import HOUSE, Toll
from postroom.core.mail.types import BrakeLevels
from postroom.core.workspaces.models import Workspace

ACCOUNT_SPAN: Final = timedelta(hours=24)

_SUMS: Final = """
coalesce(sum(t.handed_over + t.bounced - t.bounced_later), 0), coalesce(sum(t.bounced), 0),
coalesce(sum(t.complained), 0)
"""

_BATCH: Final = f"""
SELECT {_SUMS} FROM mail_tally t WHERE t.batch_id = %s
"""  # noqa: S608 - made of constants

_LOOK: Final = f"""
SELECT b.sender_id, b.status = 'sending' AND b.message_class IN ('marketing', 'outreach'), l.bounces, l.complaints,
    coalesce(w.spared_sent, 0), coalesce(w.spared_bounces, 0), coalesce(w.spared_complaints, 0), t.*
FROM mail_batch b LEFT JOIN mail_braketerms l ON l.workspace_id = b.workspace_id
LEFT JOIN mail_batchwatch w ON w.batch_id = b.id
CROSS JOIN LATERAL (SELECT {_SUMS} FROM mail_tally t WHERE t.batch_id = b.id) t
WHERE b.id = %s
"""  # noqa: S608 - made of constants

_WITH_CARRIED: Final = (
    "SELECT s.id FROM mail_senderaccount s WHERE s.id = %(sender_id)s OR s.carrier_id = %(sender_id)s"
)
_ACCOUNT: Final = f"""
SELECT {_SUMS}, coalesce(max(w.sent), 0), coalesce(max(w.bounces), 0), coalesce(max(w.complaints), 0)
FROM mail_batch b JOIN mail_tally t ON t.batch_id = b.id
CROSS JOIN (SELECT sum(w.spared_sent) AS sent, sum(w.spared_bounces) AS bounces, sum(w.spared_complaints) AS complaints
    FROM mail_batchwatch w JOIN mail_batch b ON b.id = w.batch_id
    WHERE b.sender_id IN ({_WITH_CARRIED}) AND (b.finished_at > %(since)s) IS NOT FALSE
        AND b.message_class IN ('marketing', 'outreach')) w
WHERE b.sender_id IN ({_WITH_CARRIED}) AND (b.finished_at > %(since)s) IS NOT FALSE
    AND b.message_class IN ('marketing', 'outreach')
"""  # noqa: S608 - made of constants


@dataclass(frozen=True, slots=True)
class BatchLook:
    """What the brakes see of a batch: ``toll`` of all of it, ``counted`` of what came after they last stopped it."""

    sender_id: int
    is_under_way: bool
    levels: BrakeLevels
    toll: Toll
    counted: Toll


def load_levels(*, workspace: Workspace) -> BrakeLevels:
    """Return at which shares the campaigns of a workspace stop themselves."""
    found = BrakeTerms.objects.filter(workspace=workspace).first()
    return BrakeLevels(found.bounces, found.complaints) if found else HOUSE


def count_toll(*, batch_id: int) -> Toll:
    """Return what became of the messages of a batch that were answered."""
    with connection.cursor() as cursor:
        cursor.execute(_BATCH, [batch_id])
        return Toll(*map(int, cursor.fetchone()))


def look_at_batch(*, batch_id: int) -> BatchLook | None:
    """Return what the brakes must know of a batch, in one statement; None when there is no such batch."""
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, [batch_id])
        row = cursor.fetchone()
    if row is None:
        return None
    sender_id, is_under_way, bounces, complaints, *numbers = row
    spared_sent, spared_bounces, spared_complaints, answered, bounced, complained = map(int, numbers)
    return BatchLook(
        sender_id,
        is_under_way,
        BrakeLevels(bounces, complaints) if bounces is not None else HOUSE,
        Toll(answered, bounced, complained),
        Toll(answered - spared_sent, bounced - spared_bounces, complained - spared_complaints),
    )


def count_account_toll(*, sender_id: int, now: datetime) -> Toll:
    """Return what became of the bulk mail of an account, and of those it carries, that was under way within the last
    day, as far as it counts.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ACCOUNT, {"sender_id": sender_id, "since": now - ACCOUNT_SPAN})
        answered, bounced, complained, *spared = map(int, cursor.fetchone())
    return Toll(answered - spared[0], bounced - spared[1], complained - spared[2])
