"""Frozen values of the events app."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from postroom.kit.types import JSONValue


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A fact to record: ``name`` in the past tense (``contact.created``), the thing, and whom it is about."""

    name: str
    object_type: str
    object_id: int
    contact_id: int | None = None
    data: Mapping[str, JSONValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """A recorded fact, as a subscriber hears it."""

    id: int
    uid: UUID
    workspace_id: int
    name: str
    object_type: str
    object_id: int
    contact_id: int | None
    data: Mapping[str, JSONValue]
    at: datetime


NOTIFY_EVENTS: Final = "postroom_events"
"""PostgreSQL channel on which workers hear of events waiting for their subscribers."""
