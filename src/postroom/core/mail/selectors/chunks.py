"""Reads of the chunks of bulk hand-overs."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db.models import Sum

from postroom.core.mail.models import Chunk
from postroom.core.mail.types import ChunkStatus

_OPEN: Final = (ChunkStatus.QUEUED, ChunkStatus.CLAIMED)


def is_sample_open(*, batch_id: int) -> bool:
    """Return whether anybody who is not held still waits for a batch to be handed over the first time."""
    return Chunk.objects.filter(batch_id=batch_id, status__in=_OPEN, ready_at__isnull=False).exists()


def count_waiting(*, batch_id: int) -> list[tuple[datetime | None, int]]:
    """Return how many people of a batch wait for each time to begin, soonest first; last, without one, the held."""
    rows = Chunk.objects.filter(batch_id=batch_id, status=ChunkStatus.QUEUED)
    return list(rows.order_by("ready_at").values_list("ready_at").annotate(people=Sum("size")))


def count_done(*, batch_ids: Collection[int]) -> dict[int, int]:
    """Return how many people of each batch were handed over or given up; batches without any are left out."""
    rows = Chunk.objects.filter(batch_id__in=batch_ids, status=ChunkStatus.DONE)
    return dict(rows.order_by().values_list("batch_id").annotate(people=Sum("size")))
