"""Where an import's people go, and what became of them."""

from dataclasses import dataclass, field
from datetime import datetime

from postroom.core.contacts.models import ImportRun
from postroom.core.contacts.types import ImportMapping
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor


def source_of(run: ImportRun) -> str:
    """Return by which word the memberships of an import say where they are from."""
    return f"import {run.filename}"[:60]


@dataclass(frozen=True, slots=True)
class MergeTarget:
    """Where an import's people go, in whose name. ``own_from`` is the key of the first person it made, if any."""

    workspace: Workspace
    mapping: ImportMapping
    source: str
    actor: Actor
    now: datetime
    own_from: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that the database refused."""

    number: int
    reason: str


@dataclass(slots=True)
class Merged:
    """What became of a batch's rows; those of no count here met somebody known."""

    created_ids: list[int] = field(default_factory=list)
    skipped: int = 0
    refused: list[Refusal] = field(default_factory=list)
