"""Values of what people agreed to, and of what keeps mail from them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import TextChoices


class MemberStatus(TextChoices):
    """Where a person stands with one list."""

    PENDING = "pending"
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"


class ConsentState(TextChoices):
    """A person's word on one category of mail; no row means absent."""

    GRANTED = "granted"
    WITHDRAWN = "withdrawn"


class SuppressionScope(TextChoices):
    """How far a suppression reaches."""

    PLATFORM = "platform"
    ORGANIZATION = "organization"
    WORKSPACE = "workspace"


class SuppressionReason(TextChoices):
    """Why an address must not be mailed."""

    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    MANUAL = "manual"
    BANNED = "banned"
    UNSUBSCRIBED = "unsubscribed"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class MailState:
    """All that the may-we-mail rule needs to know of one address; loaded set-wise, judged by ``rules.may_we_mail``."""

    address: str
    contact_id: int | None = None
    is_erased: bool = False
    suppression: SuppressionReason | None = None
    is_globally_opted_out: bool = False
    is_workspace_unsubscribed: bool = False
    list_status: MemberStatus | None = None
    consent: ConsentState | None = None


@dataclass(frozen=True, slots=True)
class Fence:
    """What a piece of mail needs consent for: the lists it goes to (any of them) and its category, if it has one."""

    list_ids: tuple[int, ...] = ()
    category_id: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an address may be mailed; ``reason`` is a stable word for the report, empty when it may."""

    is_allowed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OptOutScope:
    """What a person no longer wants: these lists, this category, everything; nothing named: the workspace's mail."""

    list_ids: tuple[int, ...] = ()
    category_id: int | None = None
    is_everything: bool = False


@dataclass(frozen=True, slots=True)
class ReaderLink:
    """Whom a preference link is for: a person, and the workspace whose mail it is about."""

    workspace_id: int
    contact_id: int


@dataclass(frozen=True, slots=True)
class ConfirmLink:
    """What a confirmation link confirms: that a person wants to be on a list. ``sent_at`` is when it was made."""

    list_id: int
    contact_id: int
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class NewSuppression:
    """An address in its one spelling that must not be mailed, and why; ``at`` is when that began, if not now.

    An address that is forgotten is known by its ``address_hash`` alone; ``is_opted_out``: its owner said no, too.
    """

    address: str
    reason: SuppressionReason
    detail: str = ""
    at: datetime | None = None
    address_hash: bytes = b""
    is_opted_out: bool = False


@dataclass(frozen=True, slots=True)
class Lift:
    """That somebody takes a suppression back: why, and whether they know what they do where it is more than a note."""

    note: str = ""
    is_confirmed: bool = False


class Standing(TextChoices):
    """What a confirmation link can still do."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    EXPIRED = "expired"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a confirmation link is about, as its reader may see it; ``contact_id`` is who they are now."""

    standing: Standing
    workspace_id: int
    workspace_name: str
    list_name: str
    contact_id: int
    masked_email: str


class Reach(TextChoices):
    """What a person wants of a workspace's mail as a whole."""

    CHOSEN = "chosen"
    NOTHING_HERE = "nothing_here"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Offer:
    """A list or a category as a person may choose it; ``is_waiting``: they were asked to confirm and did not yet."""

    id: int
    uid: UUID
    name: str
    description: str
    is_chosen: bool
    is_waiting: bool = False


@dataclass(frozen=True, slots=True)
class PreferenceCard:
    """Everything a preference centre shows: exactly what is stored of a person's will in one workspace."""

    workspace_id: int
    workspace_slug: str
    workspace_name: str
    organization_name: str
    contact_id: int
    masked_email: str
    reach: Reach
    lists: tuple[Offer, ...]
    categories: tuple[Offer, ...]
    held_back: str = ""


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose: of what they were offered, ``lists`` and ``categories`` is all they want."""

    reach: Reach
    lists: frozenset[UUID] = frozenset()
    categories: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class ConsentEntry:
    """One change of a person's will in words: what, who wrote it down, through which door, when, what shows it."""

    at: datetime
    what: str
    who: str
    door: str
    source: str
    proof: str
