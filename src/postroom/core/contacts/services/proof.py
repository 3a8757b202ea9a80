"""The history of what a person said: who wrote it down, through which door, when. Append-only."""

from dataclasses import dataclass
from datetime import datetime

from postroom.core.contacts.models import ConsentChange, Contact
from postroom.core.workspaces.types import Actor


@dataclass(frozen=True, slots=True)
class Word:
    """Where a change of will came from."""

    actor: Actor
    source: str
    at: datetime


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
        user_id=word.actor.user_id,
        at=word.at,
    )
