"""Whether a sender process still holds what it claimed, and what its accounts' servers said."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from postroom.core.mail.errors import BatchState
from postroom.core.mail.models import Batch, SenderAccount
from postroom.core.mail.services.batches import pause_batch
from postroom.core.mail.types import BatchStatus, Standing

FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(minutes=15)

_CHUNKS: Final = """
SELECT c.id, c.attempt, c.batch_id, b.status FROM mail_chunk c JOIN mail_batch b ON b.id = c.batch_id
WHERE c.owner = %s AND c.status = 'claimed'
"""
_MESSAGES: Final = """
SELECT m.id, m.attempt, m.batch_id, b.status FROM mail_message m LEFT JOIN mail_batch b ON b.id = m.batch_id
WHERE m.owner = %s AND m.status = 'claimed'
"""
_MAY_SEND: Final = (BatchStatus.SENDING, BatchStatus.DONE)


def check_claims(*, owner: str) -> Standing:
    """Return what ``owner`` still holds; anything it believes to hold beside that is lost to it."""
    with connection.cursor() as cursor:
        cursor.execute(_CHUNKS, [owner])
        chunks = cursor.fetchall()
        cursor.execute(_MESSAGES, [owner])
        messages = cursor.fetchall()
    batches = {(batch_id, status) for _, _, batch_id, status in (*chunks, *messages) if batch_id is not None}
    return Standing(
        chunks=frozenset((number, attempt) for number, attempt, _, _ in chunks),
        messages=frozenset((number, attempt) for number, attempt, _, _ in messages),
        stopped_batches=frozenset(batch_id for batch_id, status in batches if status not in _MAY_SEND),
    )


@transaction.atomic
def report_sender_failure(*, sender_id: int, error: str, permanent: bool, now: datetime) -> None:
    """Note that an account's server cannot be used, and when to try again.

    Where trying again cannot help, its running batches are paused with the reason, and the account waits the longest.
    """
    sender = SenderAccount.objects.select_for_update().get(pk=sender_id)
    pause = LONGEST_PAUSE if permanent else min(FIRST_PAUSE * 2 ** min(sender.failure_count, 16), LONGEST_PAUSE)
    sender.failure_count += 1
    sender.last_error, sender.retry_at = error[:1000], now + pause
    sender.save(update_fields=["failure_count", "last_error", "retry_at"])
    if not permanent:
        return
    for batch in Batch.objects.filter(sender=sender, status=BatchStatus.SENDING).select_related("workspace"):
        with suppress(BatchState):  # it ended or was stopped between our look and our lock
            pause_batch(workspace=batch.workspace, batch_id=batch.pk, now=now, error=error)


def report_sender_success(*, sender_id: int, now: datetime) -> None:
    """Note that an account's server works; an error that came of its failures is forgotten."""
    SenderAccount.objects.filter(pk=sender_id).update(last_used_at=now)
    SenderAccount.objects.filter(pk=sender_id, failure_count__gt=0).update(
        last_error="", retry_at=None, failure_count=0
    )
