"""API keys, as people speak of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from postroom.core.workspaces.types import Door

if TYPE_CHECKING:
    from postroom.core.workspaces.models import ApiKey


@dataclass(frozen=True, slots=True)
class DoorWords:
    """What a door is called, and what is behind it, in one line."""

    label: str
    text: str


DOORS: Final[Mapping[str, DoorWords]] = {
    Door.USESEND: DoorWords(
        "Sending API",
        "send e-mail by HTTP or SMTP; domains, contact books and campaigns. useSend's clients speak it",
    ),
    Door.CRM: DoorWords("CRM API", "read and write the people of the workspace from other programs"),
}


def say_door(key: "ApiKey") -> str:
    """Return what the door of a key is called."""
    words = DOORS.get(key.door)
    return words.label if words else key.door.capitalize()


def say_state(key: "ApiKey", now: datetime) -> str:
    """Return whether a key still opens its door, as the word of a state."""
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= now else "active"
