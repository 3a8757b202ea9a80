"""Values of lists: what they are called, how people come onto them, what is said of who is on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from postroom.core.contacts.types.consent import MemberStatus
from postroom.kit.types import UNSET, Unset


@dataclass(frozen=True, slots=True)
class ListTerms:
    """What a list is called and how people come onto it; empty words of a confirmation mean ours.

    ``confirm_document``, an editor document in JSON, stands for all of the mail that asks; ``confirm_from`` is who it
    is from. ``variables`` name the properties of members that mail may speak of.
    """

    name: str
    description: str = ""
    is_public: bool = False
    is_double_opt_in: bool = False
    confirm_subject: str = ""
    confirm_text: str = ""
    confirm_from: str = ""
    confirm_document: str = ""
    emoji: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BookChanges:
    """A partial update of a list that a program keeps as a contact book; ``UNSET`` fields stay as they are.

    A blank subject or document of the confirmation is the default one, a blank sender nobody in particular.
    """

    name: str | Unset = UNSET
    emoji: str | Unset = UNSET
    properties: Mapping[str, str] | Unset = UNSET
    variables: tuple[str, ...] | Unset = UNSET
    is_double_opt_in: bool | Unset = UNSET
    confirm_from: str | Unset = UNSET
    confirm_subject: str | Unset = UNSET
    confirm_document: str | Unset = UNSET


@dataclass(frozen=True, slots=True)
class BookEntry:
    """What a program says of a person in a contact book; what is ``UNSET`` stays, ``properties`` are added key by key.

    ``is_subscribed`` True brings nobody back who left.
    """

    email: str
    first_name: str | Unset = UNSET
    last_name: str | Unset = UNSET
    properties: Mapping[str, str] = field(default_factory=dict)
    is_subscribed: bool | Unset = UNSET


@dataclass(frozen=True, slots=True)
class BookContactChanges:
    """A partial update of a person in a contact book; ``properties`` are added key by key.

    ``is_subscribed`` True brings them back to the book, unless they want none of the workspace's mail or must not get
    any.
    """

    first_name: str | Unset = UNSET
    last_name: str | Unset = UNSET
    properties: Mapping[str, str] = field(default_factory=dict)
    is_subscribed: bool | Unset = UNSET


@dataclass(frozen=True, slots=True)
class BookContact:
    """A person in a contact book. ``is_subscribed``: whether a campaign to the book may go to them now."""

    id: int
    uid: UUID
    email: str
    first_name: str
    last_name: str
    status: MemberStatus
    is_subscribed: bool
    properties: Mapping[str, str]
    created_at: datetime
    updated_at: datetime
