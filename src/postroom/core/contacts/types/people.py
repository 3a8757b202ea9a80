"""Values of people: what is said of one when stored, changed or sorted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from django.db.models import TextChoices

from postroom.core.contacts.types.consent import ConsentState
from postroom.kit.types import UNSET, JSONValue, Unset


class SubscriptionStatus(TextChoices):
    """Where a person stands with a whole workspace."""

    NEUTRAL = "neutral"
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"


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


class InteractionType(TextChoices):
    """What passed between a person and the team."""

    NOTE = "note"
    CALL = "call"
    MEETING = "meeting"
    EMAIL_SENT = "email_sent"
    EMAIL_RECEIVED = "email_received"
    FORM_SUBMISSION = "form_submission"
    EVENT_ATTENDED = "event_attended"
    ACTION_TAKEN = "action_taken"
    STAGE_CHANGE = "stage_change"


@dataclass(frozen=True, slots=True)
class Selection:
    """Some people of a workspace: those named by ``uids``, or everybody whom the filters of the contact table let
    through (all of them must hold; none given: everybody).
    """

    uids: tuple[str, ...] = ()
    search: str = ""
    tag: str = ""
    list_id: int | None = None
    segment_id: int | None = None
