"""Reads of the chunks of bulk hand-overs."""

from typing import Final

from postroom.core.mail.models import Chunk
from postroom.core.mail.types import ChunkStatus

_OPEN: Final = (ChunkStatus.QUEUED, ChunkStatus.CLAIMED)


def is_sample_open(*, batch_id: int) -> bool:
    """Return whether anybody who is not held still waits for a batch to be handed over the first time."""
    return Chunk.objects.filter(batch_id=batch_id, status__in=_OPEN, ready_at__isnull=False).exists()
