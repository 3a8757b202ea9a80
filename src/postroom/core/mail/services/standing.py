"""Whether a sender process still holds what it claimed, and what its accounts' servers said."""

from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from postroom.core.mail.models import SenderAccount
from postroom.core.mail.selectors.stops import IS_STOPPED
from postroom.core.mail.services.batches import pause_sender_batches
from postroom.core.mail.types import BatchStatus, Standing

FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(minutes=15)

# What a panic stop or an account that was switched off concerns is left out, as if it were lost: it stops at once, and
# its booking puts back the rest.
_CHUNKS: Final = f"""
SELECT c.id, c.attempt, c.batch_id, b.status FROM mail_chunk c JOIN mail_batch b ON b.id = c.batch_id
JOIN mail_senderaccount s ON s.id = b.sender_id AND s.is_active
WHERE c.owner = %s AND c.status = 'claimed' AND NOT {IS_STOPPED.format(workspace_id="b.workspace_id")}
"""  # noqa: S608 - made of constants
_MESSAGES: Final = f"""
SELECT m.id, m.attempt, m.batch_id, b.status FROM mail_message m
JOIN mail_senderaccount s ON s.id = m.sender_id AND s.is_active
LEFT JOIN mail_batch b ON b.id = m.batch_id
WHERE m.owner = %s AND m.status = 'claimed' AND NOT {IS_STOPPED.format(workspace_id="m.workspace_id")}
"""  # noqa: S608 - made of constants
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
    """Note that an account's server cannot be used, since when, and when to try again.

    Where trying again cannot help the account waits the longest, and its running batches are paused with the reason,
    unless another account's server is to stand in.
    """
    sender = SenderAccount.objects.select_for_update().get(pk=sender_id)
    pause = LONGEST_PAUSE if permanent else min(FIRST_PAUSE * 2 ** min(sender.failure_count, 16), LONGEST_PAUSE)
    sender.failure_count += 1
    sender.last_error, sender.retry_at = error[:1000], now + pause
    sender.failing_since = sender.failing_since or now
    sender.save(update_fields=["failure_count", "last_error", "retry_at", "failing_since"])
    if not permanent or sender.fallback_id is not None:
        return
    pause_sender_batches(sender_id=sender_id, error=error, now=now)


def report_sender_success(*, sender_id: int, now: datetime) -> None:
    """Note that an account's server works; an error that came of its failures is forgotten."""
    SenderAccount.objects.filter(pk=sender_id).update(last_used_at=now)
    SenderAccount.objects.filter(pk=sender_id, failure_count__gt=0).update(
        last_error="", retry_at=None, failure_count=0, failing_since=None
    )
