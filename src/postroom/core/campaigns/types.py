"""Frozen values and enumerations of the campaigns app."""

from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from django.db.models import TextChoices

from postroom.core.mail.types import BodyFormat
from postroom.kit.types import UNSET, Unset


class CampaignStatus(TextChoices):
    """The life of a campaign."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    REPEATING = "repeating"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Metric(TextChoices):
    """What decides between variants: what people did, never what machines did."""

    OPENS = "opens"
    CLICKS = "clicks"


class Frequency(TextChoices):
    """How often a campaign repeats."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Words:
    """What a variant says otherwise than its campaign; an empty text is the campaign's own."""

    subject: str = ""
    preheader: str = ""
    sender_name: str = ""
    body: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """How variants are tried out: on ``percent`` of the audience, decided by ``metric``.

    The rest gets the winner ``wait_minutes`` after the sample went out, or as soon as ``wanted_count`` people acted;
    without either, when somebody decides. With 100 per cent there is no rest.
    """

    percent: int = 20
    metric: Metric = Metric.OPENS
    wait_minutes: int | None = 240
    wanted_count: int | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """How one variant did: to how many it went, and how many of them opened it or followed a link themselves."""

    letter: str
    delivered: int
    opened: int
    clicked: int

    def count(self, metric: Metric) -> int:
        """Return how many people did what ``metric`` asks for."""
        return self.opened if metric is Metric.OPENS else self.clicked


@dataclass(frozen=True, slots=True)
class Verdict:
    """The variant that the rest gets, and why, as a person says it."""

    letter: str
    reason: str


@dataclass(frozen=True, slots=True)
class Confidence:
    """What the figures say about variants: ``chance`` is how likely a difference like this is by luck alone."""

    words: str
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class Contender:
    """One variant of a campaign under way: what sets it apart, and how it did."""

    score: Score
    subject: str
    sender_name: str
    has_own_body: bool


@dataclass(frozen=True, slots=True)
class Rest:
    """A destination that put off most of what it was brought; nothing goes there ``until`` then."""

    destination: str
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a campaign under way stands by variant, and who still waits for their time.

    ``held`` people wait for the winner of a trial. ``rests`` are the destinations that put the sender off for now.
    """

    contenders: tuple[Contender, ...] = ()
    confidence: Confidence | None = None
    waiting: tuple[tuple[datetime, int], ...] = ()
    held: int = 0
    rests: tuple[Rest, ...] = ()


@dataclass(frozen=True, slots=True)
class Repeat:
    """A timetable in plain words: at ``at``, daily, on ``weekdays`` (0 is Monday), or on ``day`` of each month (0 is
    its last).
    """

    frequency: Frequency
    at: time
    weekdays: tuple[int, ...] = ()
    day: int = 1


@dataclass(frozen=True, slots=True)
class RepeatPlan:
    """A timetable by the clock of ``zone``, until a last day or for so many runs, or for ever."""

    repeat: Repeat
    zone: str
    ends_on: date | None = None
    most_runs: int | None = None


@dataclass(frozen=True, slots=True)
class Wave:
    """The people of a campaign who get it at one moment: who they are by ``zones``, and whether it is overdue."""

    at: datetime
    people: int
    zones: tuple[str, ...]
    has_passed: bool


@dataclass(frozen=True, slots=True)
class WrittenCampaign:
    """A campaign as a program hands it over: to one list, in HTML or as an editor document (which wins), its
    placeholders as ``rules.placeholders`` of the mail app reads them.

    ``mail_domain`` is the only domain its From may have; ``send_at`` is when it goes out, past times being now; without
    it the campaign stays a draft.
    """

    name: str
    from_address: str
    subject: str
    list_uid: UUID
    html: str = ""
    document: str = ""
    preheader: str = ""
    reply_to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    batch_size: int = 500
    mail_domain: str = ""
    send_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CampaignChanges:
    """What an author may set on a draft; ``UNSET`` fields stay as they are. Ids are keys of the same workspace."""

    name: str | Unset = UNSET
    subject: str | Unset = UNSET
    preheader: str | Unset = UNSET
    body_format: BodyFormat | Unset = UNSET
    body: str | Unset = UNSET
    text: str | Unset = UNSET
    sender_id: int | Unset | None = UNSET
    category_id: int | Unset | None = UNSET
    segment_id: int | Unset | None = UNSET
    list_ids: tuple[int, ...] | Unset = UNSET
    sender_name: str | Unset = UNSET
    variants: tuple[Words, ...] | Unset = UNSET
    trial: TrialPlan | Unset = UNSET
    batch_size: int | Unset = UNSET
    batch_window_minutes: int | Unset = UNSET
