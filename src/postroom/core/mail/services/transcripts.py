"""Keeping what was said on the wire: one row for each claim, for 30 days."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from postroom.core.mail.models import Transcript
from postroom.core.mail.ports import Handover
from postroom.core.mail.rules import transcripts as rules

KEPT_FOR: Final = timedelta(days=30)

_THEIRS: Final = """
SELECT t.id FROM mail_transcript t WHERE t.batch_id IS NULL AND t.message_ids && %(named)s::bigint[]
UNION
SELECT t.id FROM mail_recipient r
JOIN mail_transcript t ON t.batch_id = r.batch_id AND t.chunk_number = r.chunk_number
WHERE r.id = ANY(%(named)s)
ORDER BY 1
"""


def keep_transcripts(
    *,
    workspace_id: int,
    handovers: Sequence[Handover],
    now: datetime,
    batch_id: int | None = None,
    chunk_number: int | None = None,
) -> None:
    """Keep what was said about the messages of one claim, in the booking's transaction: of a chunk when it is named."""
    if all(one.result is None for one in handovers):
        return
    is_chunk = batch_id is not None
    Transcript.objects.create(
        workspace_id=workspace_id,
        batch_id=batch_id,
        chunk_number=chunk_number,
        message_ids=[] if is_chunk else [one.message_id for one in handovers if one.result is not None],
        packed=rules.pack(handovers),
        at=now,
    )


def scrub_transcripts(*, named: Collection[int], own: Collection[int], needles: Collection[str]) -> None:
    """Take a person out of what was said about the messages that name them; ``own`` are theirs alone."""
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"named": list(named)}
        cursor.execute(_THEIRS, values)
        keys = [key for (key,) in cursor.fetchall()]
    for key in keys:
        row = Transcript.objects.select_for_update().filter(pk=key).first()
        if row is not None:
            row.packed = rules.scrub(bytes(row.packed), own=set(own), named=set(named), needles=needles)
            row.save(update_fields=["packed"])


def forget_transcripts(*, now: datetime, limit: int = 500) -> int:
    """Delete at most ``limit`` transcripts that are past their time, oldest first; return how many went."""
    old = Transcript.objects.filter(at__lte=now - KEPT_FOR).order_by("at").values_list("pk", flat=True)[:limit]
    count, _ = Transcript.objects.filter(pk__in=list(old)).delete()
    return count
