"""The history of what a person said: who wrote it down, through which door, when, and what shows it. Append-only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from postroom.core.contacts.models import ConsentChange, Contact
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor
from postroom.kit.types import JSONValue


@dataclass(frozen=True, slots=True)
class Word:
    """Where a change of will came from; ``proof`` is what the door knows of it beyond that (see ``ConsentChange``)."""

    actor: Actor
    source: str
    at: datetime
    workspace: Workspace
    proof: Mapping[str, JSONValue] = field(default_factory=dict)


def keep_proof(
    contact: Contact, word: Word, *, state: str, category_id: int | None = None, list_id: int | None = None
) -> None:
    """Append one change of a person's will: on a category, on a list, or (neither) on everything."""
    ConsentChange.objects.create(
        contact=contact,
        category_id=category_id,
        list_id=list_id,
        state=state,
        door=word.actor.door,
        source=word.source[:200],
        workspace=word.workspace,
        proof=dict(word.proof),
        user_id=word.actor.user_id,
        at=word.at,
    )
