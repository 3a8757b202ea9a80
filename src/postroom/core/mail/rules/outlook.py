"""What happens to a message next, and what may be done about it."""

from datetime import datetime
from typing import Final

from postroom.core.mail.types import BatchStatus, MessageOutlook, MessageStatus

_WAITING: Final = (MessageStatus.QUEUED, MessageStatus.DEFERRED)
_STOPPED: Final = (BatchStatus.PAUSED, BatchStatus.PAUSING)
_OVER: Final = (BatchStatus.CANCELLING, BatchStatus.CANCELLED)


def look_ahead(
    *, status: str, next_attempt_at: datetime | None, is_bounced: bool, batch_status: str | None, now: datetime
) -> MessageOutlook:
    """Return the outlook of a message. One that waits may be tried at once or cancelled, one in doubt sent again, at
    the risk of a second copy; what has ended has no outlook.
    """
    if is_bounced or batch_status in _OVER:
        return MessageOutlook()
    is_paused = batch_status in _STOPPED
    if status in _WAITING:
        return MessageOutlook(
            due_at=next_attempt_at,
            waits_for="paused" if is_paused else "",
            can_retry=not is_paused and next_attempt_at is not None and next_attempt_at > now,
            can_cancel=True,
        )
    is_doubtful = status == MessageStatus.IN_DOUBT
    return MessageOutlook(can_retry=is_doubtful and not is_paused, is_doubtful=is_doubtful)
