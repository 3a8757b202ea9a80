"""Values of bulk hand-overs and of what a sender claims."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from postroom.core.mail.types.limits import BrakeLevels
from postroom.core.mail.types.messages import Outgoing


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A time on the clock on the wall (``wall`` has no zone): it comes at another moment in each time zone.

    ``default_zone`` is for people whose own is not known.
    """

    wall: datetime
    default_zone: str


@dataclass(frozen=True, slots=True)
class Split:
    """``percent`` of an audience are a sample, and each of them gets one of ``contents``; the rest is held until it is
    known what they get. ``seed`` sets one split apart from every other.
    """

    seed: int
    percent: int
    contents: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Portions:
    """So many people of a batch at a time, the next ones ``minutes`` after those before them."""

    size: int
    minutes: int


@dataclass(frozen=True, slots=True)
class FreezePlan:
    """When the recipients of a batch get it, and what: at once and the batch's content, unless it says otherwise."""

    local_time: LocalTime | None = None
    split: Split | None = None
    portions: Portions | None = None


@dataclass(frozen=True, slots=True)
class BatchAddresses:
    """What is written on every message of a batch; without a From, the sender account's own."""

    from_address: str = ""
    reply_to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unmoved:
    """An audience of those who got batch ``batch_id`` and did not open it, or with ``by_clicks`` did not click in it.

    What machines opened or followed moved nobody.
    """

    batch_id: int
    by_clicks: bool = False


@dataclass(frozen=True, slots=True)
class BatchTotals:
    """What became of an audience when it was frozen: accepted recipients, and refused ones by reason."""

    total: int
    fenced: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """Where a batch stands. ``sent = delivered + bounced + pending + in_doubt``; what was never handed over and never
    will be (``fenced``, ``suppressed``, ``failed``, ``cancelled``) is counted beside it. ``offered`` is what a server
    was brought and gave an answer to for good.
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
    offered: int


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """Where the recipients of a batch stand that have one destination and one content."""

    destination: str
    content_id: int
    counts: BatchCounts


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
class Grant:
    """Room that was taken in the limits of one account, to be given back where it was not used."""

    sender_id: int
    destination: str
    good_until: datetime | None


@dataclass(frozen=True, slots=True)
class Work:
    """One claim of one sender account, with everything its messages need.

    ``route_id`` is the account whose server carries them: that of ``home_id`` (its carrier; None: its own), or another
    one while that is down and a rule says so. ``is_probe``: that server was failing, and a few messages try it out. A
    body may leave until ``good_until`` at the latest, where limits on the rate granted it; ``grants`` names them.
    ``brake``: at which share of bounces nothing more of the batch may leave, whatever the database knows by then.
    """

    claim: ChunkClaim | MessagesClaim
    sender_id: int
    route_id: int
    is_urgent: bool
    items: tuple[Outgoing, ...]
    good_until: datetime | None = None
    is_probe: bool = False
    grants: tuple[Grant, ...] = ()
    brake: BrakeLevels | None = None
    home_id: int | None = None
