"""Values of sender accounts and domains."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from postroom.core.mail.types.domains import SigningKey
from postroom.core.mail.types.messages import Composition
from postroom.core.mail.types.words import Provider
from postroom.kit.types import UNSET, JSONValue, Unset


@dataclass(frozen=True, slots=True)
class NewSender:
    """A sender account to create. ``config`` of an SMTP account: host, port, security (none, opportunistic, starttls,
    tls), max_connections; ``credentials``: username, password. ``daily_limit`` is a limit of so many messages in any 24
    hours.
    """

    name: str
    provider: Provider
    from_email: str
    from_name: str = ""
    reply_to: str = ""
    domain_id: int | None = None
    config: Mapping[str, JSONValue] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict)
    daily_limit: int | None = None


class SendingAccount(NamedTuple):
    """What accepting mail asks of a sender account. One that is carried for a domain ``is_unproven`` while the records
    of that are not, or no longer, there.
    """

    id: int
    name: str
    from_email: str
    provider: str
    is_active: bool
    is_limited: bool
    is_unproven: bool = False

    @property
    def domain(self) -> str:
        """The domain it stands for, in lower case."""
        return self.from_email.rpartition("@")[2].lower()


@dataclass(frozen=True, slots=True)
class SenderChanges:
    """What may be set on a sender account; ``UNSET`` fields, and credentials that are not named, stay as they are."""

    name: str | Unset = UNSET
    from_name: str | Unset = UNSET
    from_email: str | Unset = UNSET
    reply_to: str | Unset = UNSET
    domain_id: int | Unset | None = UNSET
    config: Mapping[str, JSONValue] | Unset = UNSET
    credentials: Mapping[str, str] = field(default_factory=dict)
    fallback_id: int | Unset | None = UNSET
    fallback_after_s: int | Unset = UNSET


@dataclass(frozen=True, slots=True)
class NewTemplate:
    """A template to create: its name, unique with its language in the workspace, and what the author wrote."""

    name: str
    composition: Composition
    language: str = "en"


@dataclass(frozen=True, slots=True)
class SenderProfile:
    """All that carrying a sender account's mail needs, its secrets opened.

    ``keys`` sign for ``domain``. ``return_domain`` takes what comes back and ``tracking_url`` begins the links, both
    only once they were seen to lead here; empty means the installation's own.
    """

    id: int
    provider: Provider
    config: Mapping[str, JSONValue]
    credentials: Mapping[str, str]
    from_name: str
    from_email: str
    reply_to: str
    domain: str
    keys: tuple[SigningKey, ...] = ()
    return_domain: str = ""
    tracking_url: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Which claims an owner still holds, and which of their batches somebody wants stopped."""

    chunks: frozenset[tuple[int, int]]
    messages: frozenset[tuple[int, int]]
    stopped_batches: frozenset[int]
