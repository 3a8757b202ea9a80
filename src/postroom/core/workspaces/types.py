"""Frozen values and enumerations of the workspaces app."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from django.db.models import TextChoices

from postroom.kit.types import JSONObject


class Role(TextChoices):
    """What a member may do; each role includes the ones below it."""

    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"

    @property
    def rank(self) -> int:
        """Higher means more."""
        return _RANKS[self.value]


_RANKS: Final = {"viewer": 1, "member": 2, "admin": 3}


class Door(TextChoices):
    """Through which door an act came in."""

    WEB = "web"
    CRM = "crm"
    USESEND = "usesend"
    BACKOFFICE = "backoffice"
    OUTREACH = "outreach"
    MAILTRIXY = "mailtrixy"
    EDGE = "edge"
    COMMAND = "command"
    SYSTEM = "system"


KEYED_DOORS: Final = (Door.USESEND, Door.CRM)
"""The doors that are built and opened with keys."""

SEND_SCOPE: Final = "send"
"""The scope of a key that sends e-mail and looks after it, and does nothing else."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user, an API key, both (a key acts as its creator), or the system itself."""

    door: Door
    user_id: int | None = None
    api_key_id: int | None = None


SYSTEM: Final = Actor(door=Door.SYSTEM)


class Room(NamedTuple):
    """A workspace and the organization it belongs to, by their keys: what a wall is made of."""

    workspace_id: int
    organization_id: int


@dataclass(frozen=True, slots=True)
class NewKey:
    """An API key to make: the door it opens, its scopes (none: all), the sending domain it is bound to (empty: all of
    the workspace), and its end, if it has one.
    """

    door: Door
    name: str
    scopes: tuple[str, ...] = ()
    mail_domain: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """What one write did: ``act`` in the past tense (``contact.updated``), the thing, its fields before and after."""

    act: str
    object_type: str
    object_id: int | None = None
    before: JSONObject | None = None
    after: JSONObject | None = None
