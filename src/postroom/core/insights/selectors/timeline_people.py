"""Who did what is told: a colleague by name, an API by its door, the person themself."""

from typing import Final

from postroom.core.workspaces.models import User
from postroom.core.workspaces.types import Door

_DOORS: Final = {
    Door.WEB: "",
    Door.EDGE: "the person themself",
    Door.COMMAND: "the command line",
    Door.SYSTEM: "Postroom",
}


def name_actor(user: User | None, door: str) -> str:
    """Return who acted through ``door`` as a person says it."""
    place = _DOORS.get(Door(door), f"{door} API") if door in Door.values else door
    name = (user.name or user.email) if user is not None else ""
    return ", ".join(part for part in (name, place) if part)
