"""Frozen values and enumerations of the contacts app."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from django.db.models import TextChoices

from postroom.kit.types import UNSET, JSONValue, Unset


class SubscriptionStatus(TextChoices):
    """Where a person stands with a whole workspace."""

    NEUTRAL = "neutral"
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"


class MemberStatus(TextChoices):
    """Where a person stands with one list."""

    PENDING = "pending"
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"


class FieldScope(TextChoices):
    """Who sees a field: every workspace, only the organization's own room, or one workspace."""

    CORE = "core"
    GLOBAL_INTERNAL = "global_internal"
    WORKSPACE = "workspace"


class FieldType(TextChoices):
    """How a field's value is read, stored and compared."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    SELECT = "select"
    MULTISELECT = "multiselect"
    URL = "url"
    EMAIL = "email"


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


class ImportStatus(TextChoices):
    """The life of an import."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class NewContact:
    """What may be said of a person when they are first stored. At least one of e-mail, first and last name."""

    email: str | None = None
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    phone: str = ""
    language: str = ""
    timezone: str = ""
    custom: Mapping[str, JSONValue] = field(default_factory=dict)
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContactChanges:
    """A partial update; ``UNSET`` fields stay as they are. ``custom`` is merged key by key, unless it
    ``replaces_custom`` as a whole.
    """

    email: str | Unset | None = UNSET
    first_name: str | Unset = UNSET
    last_name: str | Unset = UNSET
    company: str | Unset = UNSET
    phone: str | Unset = UNSET
    language: str | Unset = UNSET
    timezone: str | Unset = UNSET
    custom: Mapping[str, JSONValue] | Unset = UNSET
    replaces_custom: bool = False


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person wants as far as it is mentioned. ``consents`` is the whole of their word by category slug: what it
    leaves out becomes absent.
    """

    is_opted_out: bool | Unset = UNSET
    consents: Mapping[str, ConsentState] | Unset = UNSET


@dataclass(frozen=True, slots=True)
class ContactOrder:
    """How people are sorted: by the time they came or by a text of theirs; those without it come last."""

    by: Literal["created_at", "email", "first_name", "last_name"] = "created_at"
    is_ascending: bool = False


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
class Audience:
    """Who a campaign is for: members of the lists, matches of a segment (both: in both), or everyone (neither)."""

    list_ids: tuple[int, ...] = ()
    segment_id: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an address may be mailed; ``reason`` is a stable word for the report, empty when it may."""

    is_allowed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What a value of a field must look like; no ``options`` on a select means any word."""

    key: str
    label: str
    type: FieldType
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewField:
    """A field to define; an empty ``key`` is made from the label."""

    label: str
    key: str = ""
    type: FieldType = FieldType.TEXT
    scope: FieldScope = FieldScope.WORKSPACE
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OptOutScope:
    """What a person no longer wants: these lists, this category, everything; nothing named: the workspace's mail."""

    list_ids: tuple[int, ...] = ()
    category_id: int | None = None
    is_everything: bool = False


@dataclass(frozen=True, slots=True)
class SegmentPreview:
    """How many people a filter finds, and the newest of them as (id, e-mail, name)."""

    count: int
    sample: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True, slots=True)
class ImportMapping:
    """Which column goes where: ``columns`` maps a header to a target (``email``, ``first_name``, ``last_name``,
    ``company``, ``phone``, ``language``, ``timezone``, ``tags``, ``custom.<key>``); unmapped columns are left out.
    Everybody goes on the list ``list_id``, or on one made under the name ``new_list``.
    """

    columns: Mapping[str, str]
    tags: tuple[str, ...] = ()
    list_id: int | None = None
    new_list: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as a person gave it."""

    file: BinaryIO
    filename: str


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """How the bytes of a CSV file are to be read."""

    encoding: str
    delimiter: str


@dataclass(frozen=True, slots=True)
class CsvSample:
    """The top of a CSV file and a mapping proposed for it, with the fields that mapping would have to define."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    encoding: str
    delimiter: str
    suggested: dict[str, str]
    new_fields: tuple[NewField, ...] = ()
