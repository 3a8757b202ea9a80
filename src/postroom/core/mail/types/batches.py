"""Values of bulk hand-overs and of what a sender claims."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from postroom.core.mail.types.messages import Outgoing


@dataclass(frozen=True, slots=True)
class BatchTotals:
    """What became of an audience when it was frozen: accepted recipients, and refused ones by reason."""

    total: int
    fenced: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """Where a batch stands. ``sent = delivered + bounced + pending + in_doubt``; what was never handed over and never
    will be (``fenced``, ``suppressed``, ``failed``, ``cancelled``) is counted beside it.
    """

    total: int
    fenced: int
    sent: int
    delivered: int
    bounced: int
    pending: int
    in_doubt: int
    failed: int
    suppressed: int
    cancelled: int
    opened: int
    machine_opened: int
    clicked: int
    scanner_clicked: int
    complained: int
    unsubscribed: int
    replied: int


@dataclass(frozen=True, slots=True)
class ChunkClaim:
    """The right to send one chunk: void as soon as the chunk's owner or attempt is another."""

    chunk_id: int
    owner: str
    attempt: int


@dataclass(frozen=True, slots=True)
class MessagesClaim:
    """The right to send single messages: each void as soon as its owner or attempt is another."""

    owner: str
    attempts: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Work:
    """One claim of one sender account, with everything its messages need.

    ``route_id`` is the account whose server carries them: another one while the sender's own is down and a rule says
    so. A body may leave until ``good_until`` at the latest, where a limit on the rate granted it.
    """

    claim: ChunkClaim | MessagesClaim
    sender_id: int
    route_id: int
    is_urgent: bool
    items: tuple[Outgoing, ...]
    good_until: datetime | None = None
