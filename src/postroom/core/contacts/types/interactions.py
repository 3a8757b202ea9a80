"""Values of what passed between a person and the team."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from postroom.core.contacts.types.people import InteractionType
from postroom.kit.types import JSONValue


@dataclass(frozen=True, slots=True)
class NewInteraction:
    """A note, call or meeting to write down; without ``occurred_at`` it happened just now. One that is not
    ``is_team_visible`` is shown to its author alone; ``source_id`` is what a connected system calls it.
    """

    type: InteractionType = InteractionType.NOTE
    subject: str = ""
    body: str = ""
    occurred_at: datetime | None = None
    is_team_visible: bool = True
    metadata: Mapping[str, JSONValue] = field(default_factory=dict)
    source_id: str | None = None
