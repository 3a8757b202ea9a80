"""What the mail app asks of the outside world: a transport that carries finished messages, and the name system."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple, Protocol

from postroom.core.mail.types import DnsAnswer, InboundMail, Provider, ProviderFact, SenderProfile


class Outcome(Enum):
    """How one attempt to hand a message over ended."""

    SENT = "sent"  # the server answered 2xx after the final dot: it owns the message now
    DEFERRED = "deferred"  # 4xx: try again later
    FAILED = "failed"  # 5xx: never try this recipient again
    IN_DOUBT = "in_doubt"  # the body left, no answer came


class Envelope(NamedTuple):
    """One finished message: ``body`` is all of it (RFC 5322), CRLF line ends, neither dot-stuffed nor dot-ended.

    ``is_plain`` vouches that it is ASCII, has no other CR or LF, ends in CRLF and has no line that begins with a dot.
    """

    message_id: int
    return_path: str
    recipients: tuple[str, ...]
    body: bytes
    is_plain: bool = False


class Result(NamedTuple):
    """The server's word on one envelope. ``enhanced`` is the RFC 3463 code when given; ``recipient_replies`` names the
    refused recipients of an envelope that went through for others. ``session`` describes the connection (server, port,
    address, TLS, greeting; one text for all its messages), ``dialogue`` what was said for this envelope, line by line.

    ``is_relayed``: a provider took it to deliver it later, so it is sent and not delivered yet. ``safe_until`` (Unix
    seconds) comes with doubt: before then, sending the message again under its Message-ID cannot make a second copy.
    """

    outcome: Outcome
    code: int = 0
    enhanced: str = ""
    text: str = ""
    provider_id: str = ""
    recipient_replies: tuple[tuple[str, int, str], ...] = ()
    session: str = ""
    dialogue: str = ""
    is_relayed: bool = False
    safe_until: float = 0.0


class Outbox(Protocol):
    """Where a transport takes envelopes from and reports on them. All methods are called from one event loop and must
    not block for long.

    Every envelope taken with ``next`` ends in exactly one of ``record`` or ``give_back``.
    """

    def next(self) -> Envelope | None:
        """Take the next envelope, or None when there is none for now."""
        ...

    def before_body(self, envelope: Envelope) -> bool:
        """Journal that the body leaves now. False: the claim is lost or the batch paused; the body must not leave."""
        ...

    def record(self, envelope: Envelope, result: Result) -> None:
        """Journal how the hand-over ended."""
        ...

    def give_back(self, envelope: Envelope) -> None:
        """Return an envelope whose body never left, or that the other side said it did not take."""
        ...


class Transport(Protocol):
    """Carries envelopes to one server over its own pool of connections."""

    async def run(self, outbox: Outbox) -> None:
        """Hand over everything ``outbox`` gives until ``next`` answers None, then return with connections kept open.

        Raises ``kit.errors.Unavailable`` when the server cannot be reached, refuses the sign-in or goes away and does
        not come back; ``permanent`` is True where trying again cannot help (wrong password, no TLS).
        """
        ...

    async def close(self) -> None:
        """Say QUIT and close every connection."""
        ...


class NameSystem(Protocol):
    """Looks names up. It waits for answers, so it is for jobs and never for a page."""

    def look_up(self, name: str, type: str) -> DnsAnswer:
        """Return the records of ``type`` (TXT, MX, CNAME, A, AAAA, PTR) at ``name``; never raises."""
        ...


class Handover(NamedTuple):
    """How the hand-over of one claimed message ended, ``at`` Unix seconds.

    Without a ``result`` our own rule refused it at the last moment, and ``refusal`` says why.
    """

    message_id: int
    at: float
    result: Result | None
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class JournalReading:
    """What a dead sender's journal says: messages with their result, or None where no answer to the body is noted.

    ``is_complete`` is False when the journal may have lost its end (the machine went down, or the journal is gone):
    then every claimed message that it does not name may have left too.
    """

    entries: Mapping[int, Handover | None]
    is_complete: bool


class ReportReader(Protocol):
    """Reads what providers report, each in its own words."""

    def read(
        self, provider: Provider, body: bytes, content_type: str, *, is_inbound: bool
    ) -> Sequence[ProviderFact | InboundMail]:
        """Return what a webhook's body says of our messages, or the mail that it brings. Raises whatever a body raises
        that is not as the provider documents it.
        """
        ...

    def fetch(self, profile: SenderProfile, since: datetime, until: datetime) -> Iterator[ProviderFact]:
        """Yield what the provider's own records say of the time from ``since`` to ``until``; nothing where it keeps
        none that can be asked for. Raises ``kit.errors.Unavailable``, also half-way.
        """
        ...
