"""Values of looking through the ledger."""

from dataclasses import dataclass
from datetime import datetime

from postroom.core.mail.types.words import MessageClass, MessageStatus


@dataclass(frozen=True, slots=True)
class MessageSearch:
    """Which messages are looked for; what is not said narrows nothing. ``who`` begins an address or a name."""

    who: str = ""
    status: MessageStatus | None = None
    message_class: MessageClass | None = None
    sender_id: int | None = None


@dataclass(frozen=True, slots=True)
class MessageOutlook:
    """What may be done with a message, and what happens to it next if nobody does anything: ``due_at`` the next try
    (None: none is planned), ``waits_for`` why there is none: ``paused`` (its campaign) or nothing.
    """

    due_at: datetime | None = None
    waits_for: str = ""
    can_retry: bool = False
    can_cancel: bool = False
    is_doubtful: bool = False
