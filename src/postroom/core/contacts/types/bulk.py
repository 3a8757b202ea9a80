"""Values of bulk actions: one change to many people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from django.db.models import TextChoices

from postroom.kit.types import JSONValue

BULK_SOURCE: Final = "bulk change "
"""How the ``source`` of a list membership begins when a bulk action was the last to set it; the run's uid follows."""


class BulkKind(TextChoices):
    """What can be done to many people at once."""

    TAG = "tag", "Add a tag"
    UNTAG = "untag", "Remove a tag"
    SUBSCRIBE = "subscribe", "Put on a list"
    UNSUBSCRIBE = "unsubscribe", "Take off a list"
    SET_FIELD = "set_field", "Set a field"
    CLEAR_FIELD = "clear_field", "Clear a field"
    DELETE = "delete", "Delete"


@dataclass(frozen=True, slots=True)
class BulkAction:
    """One change to many people. ``params`` say what the kind needs: ``tag`` (a name); ``list_id``; ``field`` (a key)
    and ``value``; for a deletion ``count``, as many as whoever asks believes to delete.
    """

    kind: BulkKind
    params: Mapping[str, JSONValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BulkForecast:
    """What a bulk action would meet: how many people are selected, and of these how many have opted out in a way that
    the action does not touch.
    """

    selected: int
    opted_out: int = 0
