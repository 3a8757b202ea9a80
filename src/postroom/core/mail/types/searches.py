"""Values of looking through the ledger."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import TextChoices

from postroom.core.mail.types.words import MessageClass, MessageStatus


class MessageFact(TextChoices):
    """What may be known of a message beside where it stands; ``scheduled`` waits for a time its sender chose."""

    SCHEDULED = "scheduled"
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


@dataclass(frozen=True, slots=True)
class MessageSearch:
    """Which messages are looked for; what is not said narrows nothing. ``who`` begins an address or a name, ``subject``
    stands somewhere in it; made from ``since`` on and before ``until``.
    """

    who: str = ""
    status: MessageStatus | None = None
    fact: MessageFact | None = None
    message_class: MessageClass | None = None
    sender_id: int | None = None
    domain_id: int | None = None
    api_key_id: int | None = None
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether more is asked than the indexes of the ledger answer by themselves."""
        wanted = (self.fact, self.message_class, self.sender_id, self.domain_id, self.api_key_id)
        return bool(self.subject or self.since or self.until) or any(one is not None for one in wanted)


@dataclass(frozen=True, slots=True)
class MessageSpan:
    """Which messages are listed: accepted from ``since`` to ``until``, both included, and from one of ``domains``; None
    narrows nothing.
    """

    since: datetime | None = None
    until: datetime | None = None
    domains: tuple[str, ...] | None = None


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
